// SPDX-License-Identifier: BSD-2-Clause
#include "store/schema.h"

#include <fmt/format.h>

#include "store/tables.h"

namespace waitclose::store {
namespace {

constexpr const char* kFixedTables = R"sql(
CREATE TABLE recording (
    program TEXT, hostname INTEGER, kernel INTEGER, boot_id INTEGER, arguments INTEGER,
    begun_ns INTEGER, wall_offset_ns INTEGER, end_ns INTEGER, ending TEXT, failure INTEGER,
    all_transitions INTEGER, min_held_ns INTEGER, selects INTEGER, dropped_holds INTEGER);
CREATE TABLE probes (need INTEGER, hook INTEGER);
CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT);
CREATE TABLE addresses (id INTEGER PRIMARY KEY, address TEXT, bytes BLOB);
CREATE TABLE actors (id INTEGER PRIMARY KEY, pid INTEGER, tid INTEGER, thread_start_ns INTEGER, comm INTEGER);
CREATE TABLE stacks (id INTEGER PRIMARY KEY, frames INTEGER);
CREATE TABLE frames (stack INTEGER, depth INTEGER, function INTEGER, PRIMARY KEY (stack, depth)) WITHOUT ROWID;
CREATE TABLE call_stacks (id INTEGER PRIMARY KEY, frames INTEGER);
CREATE TABLE call_frames (
    stack INTEGER, depth INTEGER, function INTEGER, module INTEGER, offset INTEGER, kernel INTEGER, own INTEGER,
    PRIMARY KEY (stack, depth)) WITHOUT ROWID;
CREATE TABLE holds (
    id INTEGER PRIMARY KEY, netns INTEGER, cookie INTEGER, family TEXT,
    local_address INTEGER, local_port INTEGER, remote_address INTEGER, remote_port INTEGER,
    since_ns INTEGER, precision TEXT, ended_ns INTEGER, ended_by TEXT, error INTEGER, closer INTEGER,
    entered_in INTEGER, left_in INTEGER,
    held_ns INTEGER GENERATED ALWAYS AS (max(ended_ns - since_ns, 0)) VIRTUAL);
CREATE TABLE transitions (
    id INTEGER PRIMARY KEY, at_ns INTEGER, from_state TEXT, to_state TEXT, netns INTEGER, cookie INTEGER,
    family TEXT, local_address INTEGER, local_port INTEGER, remote_address INTEGER, remote_port INTEGER,
    seen_in INTEGER);
CREATE TABLE losses (
    id INTEGER PRIMARY KEY, at_ns INTEGER, ring INTEGER, storage INTEGER, reconciled INTEGER, seen_in INTEGER);
CREATE TABLE diagnoses (
    id INTEGER PRIMARY KEY, look INTEGER, example_hold INTEGER, cause TEXT, confidence TEXT,
    culprit_pid INTEGER, culprit_tid INTEGER, culprit_comm INTEGER, basis TEXT, summary INTEGER, advice INTEGER);
CREATE TABLE because (
    diagnosis INTEGER, n INTEGER, pid INTEGER, tid INTEGER, comm INTEGER, waits_for INTEGER, for_ns INTEGER,
    detail INTEGER, on_pid INTEGER, on_tid INTEGER, function INTEGER, PRIMARY KEY (diagnosis, n)) WITHOUT ROWID;
CREATE TABLE contributing (
    diagnosis INTEGER, n INTEGER, cause INTEGER, PRIMARY KEY (diagnosis, n)) WITHOUT ROWID;
CREATE TABLE evidence (
    diagnosis INTEGER, n INTEGER, fact INTEGER, value_kind TEXT, value_number INTEGER, value_text INTEGER,
    text INTEGER, PRIMARY KEY (diagnosis, n)) WITHOUT ROWID;
CREATE TABLE hold_diagnoses (
    hold INTEGER, look INTEGER, diagnosis INTEGER, PRIMARY KEY (hold, look)) WITHOUT ROWID;
)sql";

std::string looks_sql() {
    std::string sql = "CREATE TABLE looks (id INTEGER PRIMARY KEY, begun_ns INTEGER";
    for (const Column& column : columns_of<model::Census>()) sql += ", " + column.name + " INTEGER";
    return sql + ");\n";
}

/// For people. Times as UTC, durations in seconds, names instead of numbers.
constexpr const char* kViews = R"sql(
CREATE VIEW hold_list AS
SELECT h.id AS hold, h.netns || ':' || printf('%llu', h.cookie) AS socket,
    l.address || ' port ' || h.local_port AS local, r.address || ' port ' || h.remote_port AS remote,
    strftime('%Y-%m-%dT%H:%M:%fZ', (h.since_ns + g.wall_offset_ns) / 1e9, 'unixepoch') AS held_since,
    round(max(coalesce(h.ended_ns, g.end_ns) - h.since_ns, 0) / 1e9, 6) AS held_s, h.precision,
    CASE WHEN h.ended_ns IS NULL THEN 'open' ELSE 'ended' END AS now,
    h.ended_by, h.error, ct.text AS closer, a.pid AS closer_pid, a.tid AS closer_tid,
    d.cause, d.confidence, d.culprit_pid, d.culprit_tid, dt.text AS culprit, d.id AS diagnosis
FROM holds h CROSS JOIN recording g
LEFT JOIN addresses l ON l.id = h.local_address LEFT JOIN addresses r ON r.id = h.remote_address
LEFT JOIN actors a ON a.id = h.closer LEFT JOIN texts ct ON ct.id = a.comm
LEFT JOIN diagnoses d ON d.id = (SELECT hd.diagnosis FROM hold_diagnoses hd WHERE hd.hold = h.id
                                 ORDER BY hd.look DESC LIMIT 1)
LEFT JOIN texts dt ON dt.id = d.culprit_comm;
CREATE VIEW open_holds AS SELECT * FROM hold_list WHERE now = 'open';
CREATE VIEW ended_holds AS SELECT * FROM hold_list WHERE now = 'ended';
CREATE VIEW diagnosis_list AS
SELECT d.id AS diagnosis, (SELECT count(DISTINCT hd.hold) FROM hold_diagnoses hd WHERE hd.diagnosis = d.id) AS holds,
    d.cause, d.confidence, c.text AS culprit, d.culprit_pid, d.culprit_tid, d.basis, s.text AS summary,
    v.text AS advice, d.example_hold
FROM diagnoses d LEFT JOIN texts c ON c.id = d.culprit_comm LEFT JOIN texts s ON s.id = d.summary
LEFT JOIN texts v ON v.id = d.advice;
CREATE VIEW evidence_list AS
SELECT e.diagnosis, e.n, f.text AS fact,
    CASE e.value_kind WHEN 'text' THEN v.text ELSE e.value_number END AS value, t.text AS text
FROM evidence e LEFT JOIN texts f ON f.id = e.fact LEFT JOIN texts v ON v.id = e.value_text
LEFT JOIN texts t ON t.id = e.text;
CREATE VIEW because_list AS
SELECT b.diagnosis, b.n, b.pid, b.tid, c.text AS comm, w.text AS waits_for, round(b.for_ns / 1e9, 6) AS for_s,
    d.text AS detail, b.on_pid, b.on_tid, f.text AS function
FROM because b LEFT JOIN texts c ON c.id = b.comm LEFT JOIN texts w ON w.id = b.waits_for
LEFT JOIN texts d ON d.id = b.detail LEFT JOIN texts f ON f.id = b.function;
CREATE VIEW thread_list AS
SELECT t.look, strftime('%Y-%m-%dT%H:%M:%fZ', (t.read_ns + k.wall_offset_ns) / 1e9, 'unixepoch') AS at,
    (SELECT p.pid FROM processes p WHERE p.id = t.process AND p.look <= t.look ORDER BY p.look DESC LIMIT 1) AS pid,
    t.tid, c.text AS comm, t.state, t.syscall, w.text AS waits_for, d.text AS detail,
    round((t.read_ns - t.asleep_since_ns) / 1e9, 6) AS asleep_s, t.on_cpu_ns, t.run_delay_ns, t.place IS NULL AS gone
FROM threads t JOIN looks k ON k.id = t.look LEFT JOIN texts c ON c.id = t.comm
LEFT JOIN texts w ON w.id = t.wait_class LEFT JOIN texts d ON d.id = t.wait_detail;
CREATE VIEW process_list AS
SELECT p.look, p.id AS process, p.pid, p.parent_pid, c.text AS comm, e.text AS exe, g.text AS cgroup,
    n.text AS container, p.fds_used, p.fd_limit, p.place IS NULL AS gone
FROM processes p LEFT JOIN texts c ON c.id = p.comm LEFT JOIN texts e ON e.id = p.exe
LEFT JOIN texts g ON g.id = p.cgroup LEFT JOIN texts n ON n.id = p.container;
CREATE VIEW pressure AS
SELECT id AS look, strftime('%Y-%m-%dT%H:%M:%fZ', (taken_ns + wall_offset_ns) / 1e9, 'unixepoch') AS at,
    round((window_to_ns - window_from_ns) / 1e9, 6) AS over_s,
    100.0 * window_cpu_some_ns / (window_to_ns - window_from_ns) AS cpu_some_percent,
    100.0 * window_memory_some_ns / (window_to_ns - window_from_ns) AS memory_some_percent,
    100.0 * window_io_some_ns / (window_to_ns - window_from_ns) AS io_some_percent,
    100.0 * window_steal_ns / (window_to_ns - window_from_ns) / window_cpus AS steal_percent
FROM looks WHERE window_to_ns > window_from_ns;
CREATE VIEW activity_list AS
SELECT t.pid, t.tid, c.text AS comm, strftime('%Y-%m-%dT%H:%M:%fZ', (i.begin_ns + g.wall_offset_ns) / 1e9, 'unixepoch') AS at,
    (i.end_ns - i.begin_ns) / 1e6 AS for_ms, i.doing, s.syscall, n.text AS file,
    (SELECT group_concat(u.text, ' < ') FROM (SELECT ft.text AS text FROM call_frames f LEFT JOIN texts ft
     ON ft.id = f.function WHERE f.stack = s.stack ORDER BY f.depth) u) AS stack, wc.text AS waker, w.tid AS waker_tid
FROM activity_intervals i CROSS JOIN recording g
JOIN activity_threads t ON t.look = i.look AND t.n = i.owner LEFT JOIN texts c ON c.id = t.comm
LEFT JOIN activity_sleeps s ON s.look = i.look AND s.n = i.sleep LEFT JOIN texts n ON n.id = s.file_name
LEFT JOIN actors w ON w.id = i.waker LEFT JOIN texts wc ON wc.id = w.comm;
CREATE VIEW loss_list AS
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', (l.at_ns + g.wall_offset_ns) / 1e9, 'unixepoch') AS at,
    l.ring, l.storage, l.reconciled
FROM losses l CROSS JOIN recording g;
)sql";

}  // namespace

std::string schema_sql() {
    std::string sql = fmt::format("PRAGMA application_id = {};\nPRAGMA user_version = {};\n", kApplicationId,
                                  kSchemaVersion);
    sql += kFixedTables;
    sql += looks_sql();
    for_each_table([&](const auto& table) { sql += table.create(); });
    return sql + kViews;
}

}  // namespace waitclose::store
