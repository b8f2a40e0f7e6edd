// SPDX-License-Identifier: BSD-2-Clause
// Writes the pages that the browser tests open: empty.html, million.html, shop-N.html, hostile-N.html,
// broken-N.html.
#include <cstdio>
#include <cstdlib>

#include "incidents.h"
#include "million.h"
#include "timeline_fixture.h"

namespace {

using namespace waitclose;
using namespace waitclose::timeline;

int write(const std::string& path, const timeline::testing::Incident& incident) {
    auto sink = output::Sink::open(path);
    if (!sink) {
        std::fprintf(stderr, "%s\n", sink.error().c_str());
        return 1;
    }
    write_html(incident.timeline, incident.words, {}, *sink);
    const auto finished = sink->finish();
    if (!finished) std::fprintf(stderr, "%s\n", finished.error().c_str());
    return finished ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: waitclose_pages DIRECTORY [HOLDS | million]...\n", stderr);
        return 2;
    }
    const std::string directory = argv[1];
    int code = write(directory + "/empty.html", {});
    for (int i = 2; i < argc; ++i) {
        if (argv[i] == std::string_view("million")) {
            code |= write(directory + "/million.html", {timeline::testing::million_events(), {}});
            continue;
        }
        const std::size_t holds = std::strtoull(argv[i], nullptr, 10);
        code |= write(directory + "/shop-" + std::to_string(holds) + ".html", timeline::testing::shop(holds));
    }
    for (std::size_t i = 0; i < timeline::testing::hostile_names().size(); ++i) {
        code |=
            write(directory + "/hostile-" + std::to_string(i) + ".html", timeline::testing::hostile_shop(i));
    }
    for (std::uint32_t seed = 0; seed < 4; ++seed) {
        code |= write(directory + "/broken-" + std::to_string(seed) + ".html",
                      {timeline::testing::broken(seed), {{"Nothing here fits together."}, "", {}, {}, {}}});
    }
    return code;
}
