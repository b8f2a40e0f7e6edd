// SPDX-License-Identifier: BSD-2-Clause
// Addresses replaced by others that stand for them: the same one always by the same. Done where data enters a
// bundle, so that nothing that is made from it can tell the real ones.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "model/activity.h"
#include "model/census.h"
#include "model/events.h"

namespace waitclose::bundle {

class Redaction {
public:
    /// What is done, in one sentence, for whoever reads the bundle.
    static constexpr std::string_view kRule =
        "every IPv4 address is replaced by one of 240.0.0.0/4 and every IPv6 address by one of "
        "2001:db8::/32, the same one always by the same, also in names of threads, files and cgroups; the "
        "unspecified address and ports stay, the host name is left out";

    model::Endpoint masked(model::Family family, const model::Endpoint& endpoint);

    /// Replaces whatever reads as an address in it: four numbers up to 255 with dots between them, or an IPv6
    /// address. What it gave out itself stays.
    std::string masked_text(std::string_view text);

    void mask(model::Connection& connection);
    void mask(model::Actor& actor);
    void mask(model::Census& census);
    void mask(model::Activity& activity);
    void mask(model::Stack& stack);

    std::uint64_t masked_count() const { return ipv4_.size() + ipv6_.size(); }

private:
    using Address = std::array<std::uint8_t, 16>;

    void mask(std::string& text) { text = masked_text(text); }
    void mask(std::optional<std::string>& text);
    void mask(model::Socket& socket);
    void mask(model::Thread& thread);
    void mask(model::Window& window);
    model::StackRef masked(const model::StackRef& stack);
    std::optional<std::string> masked_word(const std::string& word);

    std::map<Address, Address> ipv4_;
    std::map<Address, Address> ipv6_;
    std::set<std::string, std::less<>> given_;  // as text
    std::map<const model::Stack*, model::StackRef> stacks_;
    std::vector<model::StackRef> kept_;  // so that no address of stacks_ is used again
};

}  // namespace waitclose::bundle
