// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/log.h"

#include <gtest/gtest.h>

namespace waitclose::kernel {
namespace {

TEST(TellingLine, IsTheVerifiersObjection) {
    EXPECT_EQ(telling_line("libbpf: prog 'on_x': BPF program load failed: Permission denied\n"
                           "libbpf: prog 'on_x': -- BEGIN PROG LOAD LOG --\n"
                           "0: R1=ctx(off=0,imm=0) R10=fp0\n"
                           "R1 unbounded memory access, make sure to bounds check any such access\n"
                           "processed 12 insns (limit 1000000) max_states_per_insn 0\n"
                           "-- END PROG LOAD LOG --\n"
                           "libbpf: prog 'on_x': failed to load: -13\n"
                           "libbpf: failed to load object 'waitclose_bpf'\n"),
              "R1 unbounded memory access, make sure to bounds check any such access");
}

TEST(TellingLine, IsLibbpfsLastWordWhereTheVerifierWasNotAsked) {
    EXPECT_EQ(telling_line("libbpf: something first\nlibbpf: failed to find BTF id\n"),
              "failed to find BTF id");
    EXPECT_EQ(telling_line(""), "");
    EXPECT_EQ(
        telling_line("libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n-- END PROG LOAD LOG --\nlibbpf: end\n"),
        "end");
}

}  // namespace
}  // namespace waitclose::kernel
