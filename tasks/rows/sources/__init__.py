"""Where a study's rows are: files in a folder, objects in a store, partitions of a query."""
