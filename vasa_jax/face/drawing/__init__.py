"""Teaches what draws mouths and eyes: the last task of stage one."""
