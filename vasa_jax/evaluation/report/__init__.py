"""From summaries of metrics to tables, pages and JSON."""
