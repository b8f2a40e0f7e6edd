// SPDX-License-Identifier: BSD-2-Clause
#include "incidents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "output/format.h"
#include "timeline_fixture.h"

namespace waitclose::timeline::testing {

namespace {

constexpr std::uint64_t kMinute = 60 * kSecond;

/// A group of holds, and who does what meanwhile.
struct Plot {
    std::uint32_t process;
    const char* cause;
    const char* confidence;
    const char* wait;
    const char* summary;
    const char* advice;
    std::uint16_t port;
    bool client;
    std::uint32_t threads;  // culprits, the first ones of the process; 0: none can be named
    unsigned share;         // of all holds, in percent
    unsigned closed;        // of them that end, in percent
};

constexpr Plot kPlots[] = {
    {0, "eof-ignored", "proven", "event-loop", "thread {} read end-of-file and never closed the connection",
     "Close the connection when read() returns 0.", 8080, false, 12, 46, 0},
    {0, "handler-blocked", "proven", "lock", "thread {} waits for a mutex that auditor (4190) holds",
     "Do not hold the audit lock across fdatasync().", 8443, false, 8, 24, 55},
    {1, "idle-in-pool", "likely", "sleep", "the server hung up while the connection lay idle in the pool",
     "Let the pool test connections before it lends them, or expire them sooner than the server does.", 5432,
     true, 4, 14, 10},
    {2, "never-accepted", "proven", "", "the connection sits in the accept queue: no thread calls accept()",
     "See what keeps the acceptor from accept().", 9000, false, 0, 11, 30},
    {1, "unknown", "possible", "", "it could not be shown why", "Look with capture.", 8081, false, 0, 5, 80},
};

struct Cast {
    std::uint32_t pid;
    const char* comm;
    const char* thread;  // name of its threads
    const char* exe;
    const char* cgroup;
    std::uint32_t threads;
};

constexpr Cast kCast[] = {
    {4121, "orders", "http-exec", "/usr/bin/java", "/system.slice/orders.service", 16},
    {977, "cart-worker", "worker", "/usr/bin/python3.11", "/kubepods.slice/pod-7f3a/cart", 6},
    {31337, "php-fpm8.2", "php-fpm8.2", "/usr/sbin/php-fpm8.2", "/system.slice/php8.2-fpm.service", 1},
};

class Shop {
public:
    explicit Shop(std::size_t holds) : dice_(7) {
        t_.window = {kFrom, kFrom + kMinute, kWallOffset};
        t_.hostname = text("orders-7");
        t_.kernel = text("6.18.44");
        t_.program = text("waitclose 0.1.0");
        const Frame main{text("main"), {}, {}, false};
        const Frame serve{text("handle_request"), {}, {}, false};
        const Frame audit{text("write_audit_log"), {}, {}, false};
        const Frame lock{text("pthread_mutex_lock"), {}, {}, false};
        const Frame futex{text("futex_wait"), {}, {}, true};
        locked_ = t_.stacks.add(std::vector{main, serve, audit, lock, futex});
        for (const Cast& cast : kCast) add_process(cast);
        for (std::size_t i = 0; i < holds; ++i) add_hold(i);
        add_groups();
        add_counters();
        if (holds > 0) t_.losses = {{kFrom + 41 * kSecond, text("ring"), 12}};
        say(holds);
    }

    Incident take() { return {std::move(t_), std::move(words_)}; }

private:
    StringId text(std::string_view name) { return t_.strings.add(name); }

    void add_process(const Cast& cast) {
        Process process;
        process.pid = cast.pid;
        process.comm = text(cast.comm);
        process.exe = text(cast.exe);
        process.cgroup = text(cast.cgroup);
        for (std::uint32_t i = 0; i < cast.threads; ++i) process.threads.push_back(thread(cast, i));
        t_.processes.push_back(std::move(process));
    }

    /// Short work at first; from the twentieth second on, ever longer waits.
    Thread thread(const Cast& cast, std::uint32_t number) {
        const std::uint64_t end = kFrom + kMinute;
        const std::string name = number == 0 ? cast.comm : fmt::format("{}-{}", cast.thread, number);
        Thread thread{cast.pid + number, text(name), kFrom, end, {}};
        for (std::uint64_t at = kFrom; at < end;) {
            const bool late = at > kFrom + 20 * kSecond;
            std::uint64_t length = 5'000'000 + dice_.below(late ? 4 * kSecond : kSecond / 4);
            Slice slice{at, 0, Activity::kBlocked, {}, {}, {}};
            switch (dice_.below(late ? 6 : 4)) {
            case 0: slice.activity = Activity::kRunning, length /= 8; break;
            case 1: slice.activity = Activity::kRunnable, length /= 20; break;
            case 2: slice.wait_class = text("event-loop"), slice.detail = text("epoll_wait(fd 6)"); break;
            case 3:
                slice.wait_class = text("downstream");
                slice.detail = text("recv(fd 9, to 10.0.0.9:443)");
                break;
            case 4:
                slice.wait_class = text("disk");
                slice.detail = text("fdatasync(fd 12, /var/log/audit.log)");
                break;
            default:
                slice.wait_class = text("lock");
                slice.detail = text("mutex 0x7f31c0 held by auditor (4190)");
                slice.stack = locked_;
            }
            slice.end_ns = std::min(end, at + length);
            at = slice.end_ns;
            thread.slices.push_back(slice);
        }
        return thread;
    }

    std::uint32_t plot_of(std::size_t number) {
        unsigned at = static_cast<unsigned>(number * 37 % 100);
        for (std::uint32_t i = 0; i < std::size(kPlots); ++i) {
            if (at < kPlots[i].share) return i;
            at -= kPlots[i].share;
        }
        return 0;
    }

    void add_hold(std::size_t number) {
        const std::uint32_t which = plot_of(number);
        const Plot& plot = kPlots[which];
        const Process& owner = t_.processes[plot.process];
        Hold hold;
        hold.id = text(fmt::format("4026531840:{}", 73'000 + number));
        hold.role = text(plot.client ? "client" : "server");
        hold.family = text("ipv4");
        const StringId far = text(fmt::format("10.2.{}.{}", number / 250 % 250, 1 + number % 250));
        const auto high = static_cast<std::uint16_t>(32'768 + number * 7 % 28'000);
        hold.local = {text("10.0.0.7"), plot.client ? high : plot.port};
        hold.remote = {plot.client ? text("10.0.0.21") : far, plot.client ? plot.port : high};
        // More and more of them, and every fiftieth from before the recording.
        const double when = std::pow(static_cast<double>(1 + dice_.below(1'000'000)) / 1e6, 0.6);
        std::uint64_t since = kFrom + static_cast<std::uint64_t>(when * 0.97 * kMinute);
        if (number % 50 == 17) since = kFrom - dice_.below(20 * kSecond);
        hold.since_ns = since;
        hold.open = dice_.below(100) >= plot.closed;
        const std::uint64_t left = kFrom + kMinute - since;
        hold.held_ns = hold.open ? left : std::min(left, kSecond / 5 + dice_.below(9 * kSecond));
        hold.precision = text(since < kFrom ? "at-least" : "exact");
        hold.owner = plot.process;
        hold.holders = {{owner.pid,
                         static_cast<std::int32_t>(40 + number),
                         owner.comm,
                         owner.exe,
                         owner.cgroup,
                         {},
                         true,
                         {}}};
        if (plot.threads > 0) {
            const Thread& thread = owner.threads[1 + number % plot.threads % (owner.threads.size() - 1)];
            hold.diagnosis.culprit = Culprit{owner.pid, thread.tid, thread.comm, text("read-eof")};
            hold.first_touch = Deed{since + 40'000'000, owner.pid, thread.tid, thread.comm, {}};
            if (!hold.open) hold.closed = Deed{since + *hold.held_ns, owner.pid, thread.tid, thread.comm, {}};
        }
        explain(hold, plot);
        words_.group_of.push_back(which);
        t_.holds.push_back(std::move(hold));
    }

    void explain(Hold& hold, const Plot& plot) {
        Diagnosis& why = hold.diagnosis;
        why.cause = text(plot.cause);
        why.confidence = text(plot.confidence);
        const std::string who =
            why.culprit ? fmt::format("{} ({})", t_.text(why.culprit->comm), *why.culprit->tid) : "";
        why.summary = text(fmt::format(fmt::runtime(plot.summary), who));
        why.advice = text(plot.advice);
        hold.wait_class = *plot.wait != '\0' ? text(plot.wait) : StringId::kNone;
        const std::int32_t fd = hold.holders.front().fd;
        why.evidence = {
            {text("holder"),
             {},
             text(fmt::format("fd {} of {} refers to it", fd, t_.text(hold.holders.front().comm)))},
            {text("eof_read"), Value::of(why.culprit.has_value()),
             text(why.culprit ? "its FIN was read" : "its FIN was not read")}};
        if (std::string_view(plot.cause) != "handler-blocked") return;
        hold.stack = locked_;
        why.because = {
            {why.culprit->pid, *why.culprit->tid, why.culprit->comm, text("lock"),
             text("mutex 0x7f31c0 held by auditor (4190)"), 1'790'000'000, Link::Other{4121, 4190}},
            {4121,
             4190,
             text("auditor"),
             text("disk"),
             text("fdatasync(fd 12, /var/log/audit.log)"),
             900'000'000,
             {}}};
        why.contributing = {text("disk-pressure: 38 % of the time some task waited for a disk")};
    }

    void add_groups() {
        std::uint32_t place[std::size(kPlots)] = {};
        for (std::uint32_t which = 0; which < std::size(kPlots); ++which) {
            const Plot& plot = kPlots[which];
            place[which] = static_cast<std::uint32_t>(words_.groups.size());
            ReportGroup group;
            group.process = plot.process;
            group.cause = plot.cause;
            group.confidence = plot.confidence;
            group.where = fmt::format("{}{}", plot.client ? "to 10.0.0.21:" : "port ", plot.port);
            for (std::uint32_t i = 0; i < t_.holds.size(); ++i) {
                if (words_.group_of[i] != which) continue;
                ++group.sockets;
                group.open += t_.holds[i].open ? 1 : 0;
                group.oldest_at_least |= t_.text(t_.holds[i].precision) != "exact";
                if (group.sockets == 1 || *t_.holds[i].held_ns > group.oldest_held_ns) group.typical = i;
                group.oldest_held_ns = std::max(group.oldest_held_ns, *t_.holds[i].held_ns);
            }
            if (group.sockets == 0) continue;
            group.summary = t_.text(t_.holds[group.typical].diagnosis.summary);
            group.is_perhaps = std::string_view(plot.confidence) == "possible" && group.cause != "unknown";
            words_.groups.push_back(group);
        }
        for (std::uint32_t& group : words_.group_of) group = place[group];
    }

    void add_counters() {
        Counter open{text("holds open"), {}, kNowhere, {}};
        Counter pressure{text("disk pressure"), text("%"), kNowhere, {}};
        Counter fds{text("fds used"), {}, 0, {}};
        for (std::uint64_t at = kFrom; at <= kFrom + kMinute; at += kSecond / 2) {
            const auto count = std::count_if(t_.holds.begin(), t_.holds.end(), [at](const Hold& hold) {
                return *hold.since_ns <= at && (hold.open || *hold.since_ns + *hold.held_ns > at);
            });
            open.samples.push_back({at, static_cast<double>(count)});
            const double seconds = static_cast<double>(at - kFrom) / 1e9;
            pressure.samples.push_back({at, seconds < 18 ? 2.0 : 30 + 9 * std::sin(seconds)});
            fds.samples.push_back({at, 212 + 0.6 * static_cast<double>(count)});
        }
        t_.counters = {open, pressure, fds};
    }

    void say(std::size_t holds) {
        words_.where = "host orders-7, Linux 6.18.44, recorded 2026-11-20 20:00:00 UTC for 1 min";
        if (holds == 0) {
            words_.sentences = {"No socket was held in CLOSE_WAIT while this was recorded.",
                                "3 processes were watched; 4,120 connections ended as they should.", ""};
            words_.sentences.pop_back();
            return;
        }
        words_.sentences = {fmt::format("{} sockets were held in CLOSE_WAIT, most of them by orders (4121): "
                                        "its http-exec threads read "
                                        "end-of-file on port 8080 and never called close().",
                                        output::count_text(holds)),
                            "It began to grow at 20:00:18, when disk pressure rose to 38 % and auditor "
                            "(4190) kept the audit lock across "
                            "fdatasync(); the oldest was held for at least 1 min 19 s.",
                            "Nothing will end these holds but orders (4121) itself: close the connection "
                            "when read() returns 0."};
        words_.losses = {
            "12 events were lost at 20:00:41; a census after it brought the counts back to the truth."};
    }

    Dice dice_;
    Timeline t_;
    ReportWords words_;
    StackId locked_ = StackId::kNone;
};

}  // namespace

Incident shop(std::size_t holds) {
    return Shop(holds).take();
}

Incident hostile_shop(std::size_t number) {
    const std::string& name = hostile_names().at(number);
    Incident made{hostile(name), {}};
    made.words.sentences = {name, name, name};
    made.words.where = name;
    made.words.losses = {name};
    made.words.groups = {{0, name, name, name, name, 1, 8 * kSecond, 0}};
    made.words.group_of = {0};
    return made;
}

}  // namespace waitclose::timeline::testing
