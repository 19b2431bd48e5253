"""What scripts/test-faults and scripts/test-leaks share, and the table of classes."""
