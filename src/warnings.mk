# For src and for what the benchmarks have in C.
WARNINGS := -Werror -Wall -Wextra -Wshadow -Wconversion -Wcast-qual -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2
