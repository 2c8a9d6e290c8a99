"""Hours of the same thing, to see what adds up: each module is a command that ends with 1 when a bound is broken."""
