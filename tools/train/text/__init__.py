"""Text that people say to a talking toy: templates with slots, expanded by a seeded generator."""
