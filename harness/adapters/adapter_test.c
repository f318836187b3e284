/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/adapters/adapter.h"

#include "base/testing.h"

static const struct {
    const char *said, *host;
    bool is_address;
    unsigned port;
} smart_hosts[] = {
    {NULL, "", false, 0},
    {"", "", false, 0},
    {"gateway.relay.example", "gateway.relay.example", false, 0},
    {"gateway.relay.example:2525", "gateway.relay.example", false, 2525},
    {"198.18.7.9", "198.18.7.9", true, 0},
    {"198.18.7.9:25", "198.18.7.9", true, 25},
    {"198.18.7.8/30", "198.18.7.8/30", false, 0},
};

START_TEST(a_smart_host_is_read)
{
    struct adapter_smart_host got = adapter_read_smart_host(smart_hosts[_i].said);
    ck_assert_str_eq(got.host, smart_hosts[_i].host);
    ck_assert_int_eq(got.is_address, smart_hosts[_i].is_address);
    ck_assert_uint_eq(got.port, smart_hosts[_i].port);
}
END_TEST

TEST_SUITE(adapter)
{
    TEST_LOOP(a_smart_host_is_read, COUNT(smart_hosts));
}
