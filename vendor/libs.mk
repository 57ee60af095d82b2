# Compiles what is linked besides musl's libc.a; TARGET as in toolchain.mk. Called by vendor.sh.
#   lib     the files of BearSSL that members names as one archive, and start.o, where the program begins
#   tool    what turns certificates into C tables (TARGET=host), see anchors.c
TOP := ..
include toolchain.mk

SRC := $(TOP)/build/vendor/src/bearssl
OBJ := $(OUT)/obj/bearssl

# Not ours to fix, so no warnings. Entropy and the time are handed in by src/io (getrandom() and the
# clock at each handshake): BearSSL itself must never open /dev/urandom, trust RDRAND or call time().
CFLAGS := -w $(CODE_FLAGS) -DBR_USE_URANDOM=0 -DBR_RDRAND=0 -DBR_USE_UNIX_TIME=0
ifeq ($(TARGET),host)
CFLAGS := -w $(CODE_FLAGS)
else ifneq ($(filter asan fuzz,$(TARGET)),)
# Addresses only: where the CPU allows it BearSSL reads words at any address, on purpose, which UBSan
# reports at every handshake.
CFLAGS += -fsanitize=address
endif

MEMBERS := $(shell sed -n 's/^bearssl //p' members)
LIB_SRC := $(filter $(foreach name,$(MEMBERS),%/$(name).c),$(wildcard $(SRC)/src/*.c $(SRC)/src/*/*.c))
LIB_OBJ := $(LIB_SRC:$(SRC)/%.c=$(OBJ)/%.o)
TOOL_OBJ := $(addprefix $(OBJ)/,$(addprefix tools/,ta.o certs.o files.o vector.o xmem.o) src/codec/pemdec.o \
	src/x509/x509_decoder.o)

# Registers given out by the simpler rule, and code that stays where it was written, compress better, and compute within
# 2 % as fast; what every byte passes through would be slower by 5 to 14 %.
ifneq ($(filter x86_64 arm64,$(TARGET)),)
BYTES := $(OBJ)/src/symcipher/% $(OBJ)/src/hash/ghash_pclmul.o $(OBJ)/src/hash/sha2small.o
$(filter-out $(BYTES),$(LIB_OBJ)): CFLAGS += -fira-algorithm=priority -fno-shrink-wrap -fno-caller-saves -fno-ipa-cp \
	-fno-gcse $(if $(filter arm64,$(TARGET)),-fno-code-hoisting)
endif

lib: $(LIBBEARSSL) $(filter %/start.o,$(LINK_START))

tool: $(OUT)/anchors

$(LIBBEARSSL): $(LIB_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcsD $@ $(LIB_OBJ)

$(SYSROOT)/lib/start.o: start.c
	$(CC) $(LIBC_CPPFLAGS) $(CODE_FLAGS) -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -c -o $@ $<

$(OUT)/anchors: anchors.c $(TOOL_OBJ)
	$(CC) -std=c11 -O1 -Wall -Wextra -Werror -o $@ $^

$(OBJ)/%.o: $(SRC)/%.c
	@mkdir -p $(@D)
	@$(CC) $(LIBC_CPPFLAGS) -I$(SRC)/inc -I$(SRC)/src $(CFLAGS) -c -o $@ $<

.PHONY: lib tool
