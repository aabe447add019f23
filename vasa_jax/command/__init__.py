"""The command `vasa`: `main` reads its words, a file for each thing it does."""
