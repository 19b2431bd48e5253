"""A small internet of its own, in two network namespaces, for the tests of the way out."""
