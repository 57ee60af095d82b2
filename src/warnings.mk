# style.md's list; shared with the unit tests.
WARNINGS := -Werror -Wall -Wextra -Wshadow -Wconversion -Wcast-qual -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2
