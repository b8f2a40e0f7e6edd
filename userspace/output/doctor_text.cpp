// SPDX-License-Identifier: BSD-2-Clause
#include "output/doctor_text.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "model/limits.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/layout.h"

namespace waitclose::output {

namespace {

constexpr std::size_t kSignWidth = 4;
constexpr std::size_t kNameWidth = 13;  // "descriptors  "
constexpr std::size_t kTextColumn = 2 + kSignWidth + kNameWidth;
constexpr std::size_t kHookWidth = 32;  // "tp/syscalls/sys_enter_close" is the longest, with a gap
constexpr std::size_t kNarrowest = 20;

enum class Mark : std::uint8_t { kGood, kLimited, kMissing };

std::string_view sign_of(Mark mark) {
    switch (mark) {
    case Mark::kGood: return "ok";
    case Mark::kLimited: return "!";
    case Mark::kMissing: break;
    }
    return "--";
}

Paint paint_of(Mark mark) {
    switch (mark) {
    case Mark::kGood: return Paint::kDim;
    case Mark::kLimited: return Paint::kWarning;
    case Mark::kMissing: break;
    }
    return Paint::kAlarm;
}

/// Writes lines that hang below one another; makes printable what it is given.
class Writer {
public:
    Writer(Sink& sink, const TextStyle& style) : sink_(sink), style_(style) {}

    /// A line of its own, from the left edge.
    void headline(std::string_view text) { hang("", 0, text, Paint::kBold); }

    void paragraph(std::size_t column, std::string_view text, Paint how = Paint::kPlain) {
        hang(std::string(column, ' '), column, text, how);
    }

    /// "  ok  kernel       Linux 6.18.44, ..."
    void row(Mark mark, std::string_view name, std::string_view text) {
        hang("  " + paint(style_, paint_of(mark), pad(sign_of(mark), kSignWidth)) + pad(name, kNameWidth),
             kTextColumn, text, Paint::kPlain);
    }

    /// "    → what to do"
    void advice(std::string_view text) {
        const std::string head = fmt::format("    {} ", arrow(style_));
        hang(head, display_width(head), text, Paint::kPlain);
    }

    /// Never broken: it is there to be copied.
    void command(std::string_view text) {
        sink_.write("      " + paint(style_, Paint::kBold, printable(text, style_.charset)) + "\n");
    }

    void blank() { sink_.write("\n"); }

private:
    void hang(std::string head, std::size_t column, std::string_view text, Paint how) {
        const std::size_t width = std::max(style_.width, column + kNarrowest) - column;
        for (const std::string& line : wrap(printable(text, style_.charset), width)) {
            sink_.write(head + paint(style_, how, line) + "\n");
            head.assign(column, ' ');
        }
    }

    Sink& sink_;
    const TextStyle& style_;
};

std::string verdict_text(const model::Findings& findings) {
    switch (model::verdict_of(findings)) {
    case model::Verdict::kFull: return "full: everything works here";
    case model::Verdict::kLimited: return "usable, with limits, which stand below with what to do";
    case model::Verdict::kUnusable: break;
    }
    return "unusable: " + model::why_unusable(findings);
}

void write_kernel(Writer& writer, const model::Surroundings& here) {
    const Mark mark = !here.has_btf                        ? Mark::kMissing
                      : here.lockdown == "confidentiality" ? Mark::kLimited
                                                           : Mark::kGood;
    writer.row(mark, "kernel",
               fmt::format("Linux{}{}, {}, lockdown mode {}", here.kernel.empty() ? "" : " ", here.kernel,
                           here.has_btf ? "with BTF" : "without BTF (/sys/kernel/btf/vmlinux)",
                           here.lockdown.value_or("not known")));
}

void write_privileges(Writer& writer, const model::Findings& findings, Detail detail) {
    std::vector<std::string> held, missing;
    for (const model::CapabilityFinding& one : findings.capabilities)
        (model::is_missing(findings, one) ? missing : held).push_back(one.name);
    if (findings.surroundings.nested_user_namespace.value_or(false))
        writer.row(Mark::kMissing, "privileges", "without effect in this user namespace");
    else if (missing.empty())
        writer.row(Mark::kGood, "privileges", "no capability is missing");
    else if (!held.empty())
        writer.row(Mark::kGood, "privileges", fmt::format("{}", fmt::join(held, ", ")));
    if (!missing.empty())
        writer.row(Mark::kMissing, held.empty() ? "privileges" : "",
                   fmt::format("missing: {}", fmt::join(missing, ", ")));
    if (detail == Detail::kBrief) return;
    for (const model::CapabilityFinding& one : findings.capabilities)
        writer.paragraph(kTextColumn, fmt::format("{}: {}", one.name, one.why), Paint::kDim);
}

void write_processes(Writer& writer, const model::Surroundings& here) {
    if (here.container) writer.row(Mark::kLimited, "container", "looks like one: " + *here.container);
    if (!here.nested_pid_namespace)
        writer.row(Mark::kLimited, "processes", "whether all are seen is not known");
    else if (*here.nested_pid_namespace)
        writer.row(Mark::kMissing, "processes", "only those of this PID namespace are seen");
    else
        writer.row(Mark::kGood, "processes", "all of this machine are seen");
}

void write_networks(Writer& writer, const model::Findings& findings) {
    const model::NetworkFinding& networks = findings.networks;
    if (networks.found == 0) return writer.row(Mark::kMissing, "networks", "not known: /proc cannot be read");
    std::string text =
        fmt::format("{} network namespace{}, ", count_text(networks.found), networks.found == 1 ? "" : "s");
    text += networks.entered == networks.found
                ? "entered"
                : fmt::format("of which {} can be entered", count_text(networks.entered));
    if (findings.surroundings.netns) text += fmt::format("; this one is {}", *findings.surroundings.netns);
    if (networks.untold)
        text += fmt::format("; not shown by {} process{}", count_text(networks.untold),
                            networks.untold == 1 ? "" : "es");
    const bool all = networks.entered == networks.found && networks.untold == 0;
    writer.row(all ? Mark::kGood : Mark::kLimited, "networks", text);
}

std::string alternative_text(const model::HookFinding& hook) {
    if (hook.refused && hook.obstacle == model::Obstacle::kOldKernel)
        return fmt::format("not {} (since Linux {}): {}", hook.name, hook.since, *hook.refused);
    if (hook.refused) return fmt::format("not {}: {}", hook.name, *hook.refused);
    return fmt::format("{} would work, too (cost {})", hook.name, hook.cost);
}

void write_need(Writer& writer, const model::NeedFinding& need, bool is_moot, Detail detail) {
    const model::HookFinding* hook = need.choice();
    if (hook)
        writer.row(hook->without.empty() ? Mark::kGood : Mark::kLimited, need.name,
                   fmt::format("{}cost {}", pad(hook->name, kHookWidth), hook->cost));
    else
        writer.row(Mark::kMissing, need.name, is_moot ? "none, as nothing can be traced" : "none");
    if (is_moot && detail == Detail::kBrief) return;
    const std::size_t better = need.chosen.value_or(need.hooks.size());
    for (std::size_t i = 0; i < need.hooks.size(); ++i)
        if (detail == Detail::kAll ? i != need.chosen : i < better && need.hooks[i].refused.has_value())
            writer.paragraph(kTextColumn, alternative_text(need.hooks[i]), Paint::kDim);
}

/// Whether it has no hook only because another need has none without which there is no tracing.
bool is_moot(const model::Findings& findings, const model::NeedFinding& need) {
    return findings.tracing && !findings.census && !need.of_census &&
           std::any_of(need.hooks.begin(), need.hooks.end(), [](const auto& hook) { return !hook.refused; });
}

void write_hooks(Writer& writer, const model::Findings& findings, Detail detail) {
    writer.blank();
    writer.headline("Hooks");
    if (!model::may_load(findings)) {
        writer.paragraph(2, "Which would work cannot be tried without the required privileges.");
        return;
    }
    if (findings.census && !findings.surroundings.has_btf && detail == Detail::kBrief) {
        writer.paragraph(2, "None can be used without the kernel's type information (BTF).");
        return;
    }
    for (const model::NeedFinding& need : findings.needs)
        write_need(writer, need, is_moot(findings, need), detail);
    if (findings.options)
        writer.row(Mark::kMissing, "options", findings.options->what);
    else if (!findings.tracing)
        writer.row(findings.lost_with_options.empty() ? Mark::kGood : Mark::kLimited, "options",
                   fmt::format("{} can be used", model::kProgramOptions));
    const bool any_high = std::any_of(findings.needs.begin(), findings.needs.end(), [](const auto& need) {
        return need.chosen && need.choice()->cost == "high";
    });
    if (any_high)
        writer.paragraph(2, "Cost high: while waitclose traces, every system call of the machine is slower.");
}

void write_limits(Writer& writer, const std::vector<model::Limit>& limits) {
    if (limits.empty()) return;
    writer.blank();
    writer.headline("Limits");
    for (std::size_t i = 0; i < limits.size(); ++i) {
        writer.paragraph(2, limits[i].what);
        // Several limits that one remedy ends are told together.
        if (i + 1 < limits.size() && limits[i + 1].remedy == limits[i].remedy) continue;
        writer.advice(limits[i].remedy.text);
        if (!limits[i].remedy.command.empty()) writer.command(limits[i].remedy.command);
    }
}

}  // namespace

void write_doctor_text(Sink& sink, const model::Findings& findings, Detail detail, const TextStyle& style) {
    Writer writer(sink, style);
    writer.headline(verdict_text(findings));
    writer.blank();
    write_kernel(writer, findings.surroundings);
    write_privileges(writer, findings, detail);
    write_processes(writer, findings.surroundings);
    write_networks(writer, findings);
    if (!findings.census)
        writer.row(Mark::kGood, "sockets", fmt::format("{} in CLOSE_WAIT now", count_text(findings.sockets)));
    write_hooks(writer, findings, detail);
    write_limits(writer, model::limits_of(findings));
}

}  // namespace waitclose::output
