# How code is compiled and linked for one target. Every makefile of the tree includes this after
# setting TOP, the way to the repository's root. All paths stay relative: make cannot quote blanks.
#
#   TARGET=x86_64 | arm64   what ships: static-pie against our own musl; a cross compiler where needed
#   TARGET=asan             the same code for this machine and glibc, with sanitizers and the checks
#                           that only debug builds make (CHECKED), for tests
#   TARGET=fuzz             the same by clang, which counts what each input reaches, for libFuzzer
#   TARGET=host             plain, for tools that run during the build

comma := ,
MACHINE := $(shell uname -m)
TARGET ?= $(patsubst aarch64,arm64,$(MACHINE))
OUT := $(TOP)/build/$(TARGET)
SYSROOT := $(OUT)/sysroot
LIBBEARSSL := $(SYSROOT)/lib/libbearssl.a

GNU_CPU := $(patsubst arm64,aarch64,$(TARGET))
ifneq ($(filter asan fuzz host $(MACHINE),$(GNU_CPU)),)
CROSS :=
else
CROSS := $(GNU_CPU)-linux-gnu-
endif
CC := $(if $(filter fuzz,$(TARGET)),clang,$(CROSS)gcc)
AR := $(CROSS)ar
STRIP := $(CROSS)strip
OBJCOPY := $(CROSS)objcopy

ifeq ($(TARGET),asan)
LIBC_CPPFLAGS := -isystem $(SYSROOT)/include
CODE_FLAGS := -O1 -g -fno-omit-frame-pointer -DCHECKED
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
LINK_START :=
LINK_END := -L$(SYSROOT)/lib -lbearssl -pthread
else ifeq ($(TARGET),fuzz)
LIBC_CPPFLAGS := -isystem $(SYSROOT)/include
CODE_FLAGS := -O1 -g -fno-omit-frame-pointer -DCHECKED
SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LINK_START :=
LINK_END := -L$(SYSROOT)/lib -lbearssl
else ifeq ($(TARGET),host)
LIBC_CPPFLAGS := -isystem $(SYSROOT)/include
CODE_FLAGS := -O1
LINK_START :=
LINK_END := -L$(SYSROOT)/lib -lbearssl
else
# The compiler's own headers (stddef.h, immintrin.h) stay; the C library's are replaced.
LIBC_CPPFLAGS := -nostdinc -isystem $(SYSROOT)/include \
	-isystem $(shell $(CC) -print-file-name=include)
# -D_FORTIFY_SOURCE is missing on purpose: it lives in glibc's headers, musl has nothing behind it.
# Unwind tables would only be read by a C++ or debugging runtime; -g keeps its own in the debug file.
# The stack protector watches functions that have a buffer of bytes; the strong one watches every function
# that hands out the address of a local, as most of ours do with a span: 3 % of the file, and of the time.
# -Os: a cold start pays for every page read; AES, GHASH and SHA-256 measure within 6 % of -O2.
# Instructions stay in the order of the source: these processors find their own, and it compresses better.
CODE_FLAGS := -Os -g -fPIE -fstack-protector -fno-strict-overflow -fno-schedule-insns -fno-schedule-insns2 \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables
# Of arm64's instructions one reaches all code and data within 1 MiB; the linker tells when that is too little.
CODE_FLAGS += $(if $(filter arm64,$(TARGET)),-mcmodel=tiny -include $(TOP)/vendor/hidden.h)
# One mapping for code and constants: two page-sized gaps less in the file, and fewer mappings to make
# at start. Constants become executable by it, writable memory does not.
# Kernels for arm64 come with pages of up to 64 KiB, and the file has gaps of up to a page; Lambda's have
# 4 KiB, the largest that are common elsewhere 16.
LINK_PAGE := $(if $(filter arm64,$(TARGET)),-z max-page-size=16384)
# A zip gets 200 to 300 bytes smaller: by tables that lie beside their like; by zeros where a table's pointers will
# stand, since the linker writes them into its list of what is to be relocated anyway.
LINK_SMALL := $(if $(filter arm64,$(TARGET)),-Wl$(comma)--no-apply-dynamic-relocs,-Wl$(comma)--sort-section=alignment)
# Spelled out instead of musl's gcc specs, so that native and cross builds are the same line.
LINK_START := -nostdlib -nostartfiles -static-pie $(LINK_PAGE) \
	$(LINK_SMALL) -Wl,-z,noseparate-code,-z,relro,-z,now,-z,noexecstack,--gc-sections,--build-id=none \
	$(SYSROOT)/lib/start.o $(SYSROOT)/lib/crti.o
LINK_END := -L$(SYSROOT)/lib -lbearssl -Wl,--start-group -lc -lgcc -Wl,--end-group \
	$(SYSROOT)/lib/crtn.o
endif
