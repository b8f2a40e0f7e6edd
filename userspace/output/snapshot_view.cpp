// SPDX-License-Identifier: BSD-2-Clause
#include "output/snapshot_view.h"

#include <memory>

#include "diagnose/diagnoser.h"

namespace waitclose::output {

Explain explain_of(const SnapshotView& view) {
    if (view.explain) return view.explain;
    auto diagnoser = std::make_shared<diagnose::Diagnoser>(view.census);
    return [diagnoser](const model::Socket& socket) { return diagnoser->diagnose(socket); };
}

}  // namespace waitclose::output
