# Compiles what is linked besides musl's libc.a; TARGET as in toolchain.mk. Called by vendor.sh.
#   lib     all of BearSSL's src/ as one archive, and start.o, where the program begins
#   tool    BearSSL's command line tool (TARGET=host), which turns certificates into C tables
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

LIB_SRC := $(wildcard $(SRC)/src/*.c $(SRC)/src/*/*.c)
LIB_OBJ := $(LIB_SRC:$(SRC)/%.c=$(OBJ)/%.o)
TOOL_OBJ := $(patsubst $(SRC)/%.c,$(OBJ)/%.o,$(wildcard $(SRC)/tools/*.c))

# Registers given out by the simpler rule, and code that stays where it was written, compress better, and compute within
# 2 % as fast; what every byte passes through would be slower by 5 to 14 %.
ifneq ($(filter x86_64 arm64,$(TARGET)),)
BYTES := $(OBJ)/src/symcipher/% $(OBJ)/src/hash/ghash_pclmul.o $(OBJ)/src/hash/sha2small.o
$(filter-out $(BYTES),$(LIB_OBJ)): CFLAGS += -fira-algorithm=priority -fno-shrink-wrap -fno-caller-saves -fno-ipa-cp \
	-fno-gcse $(if $(filter arm64,$(TARGET)),-fno-code-hoisting)
endif

lib: $(LIBBEARSSL) $(filter %/start.o,$(LINK_START))

tool: $(OUT)/brssl

$(LIBBEARSSL): $(LIB_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcsD $@ $(LIB_OBJ)

$(SYSROOT)/lib/start.o: start.c
	$(CC) $(LIBC_CPPFLAGS) $(CODE_FLAGS) -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -c -o $@ $<

$(OUT)/brssl: $(TOOL_OBJ) $(LIBBEARSSL)
	$(CC) -o $@ $(TOOL_OBJ) $(LINK_END)

$(OBJ)/%.o: $(SRC)/%.c
	@mkdir -p $(@D)
	@$(CC) $(LIBC_CPPFLAGS) -I$(SRC)/inc -I$(SRC)/src $(CFLAGS) -c -o $@ $<

.PHONY: lib tool
