// SPDX-License-Identifier: BSD-2-Clause
// The schema is an interface: everything in it is documented, and every view can be used.
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "store/schema.h"
#include "store_fixture.h"

namespace waitclose::store {
namespace {

Database empty_recording() {
    int code = 0;
    Database database = std::move(*Database::open(":memory:", 6, code));
    EXPECT_TRUE(database.execute(schema_sql())) << database.error_text();
    return database;
}

std::vector<std::string> first_column(Database& database, const std::string& sql) {
    std::vector<std::string> found;
    Statement rows = database.prepare(sql);
    while (rows && rows.step() == Statement::Step::kRow) found.emplace_back(rows.bytes(0).value_or(""));
    return found;
}

/// The passage about a table: from its name at the begin of a sentence or line to the next empty line.
std::string passage_about(const std::string& text, const std::string& table) {
    std::string passages;
    const std::string name = "`" + table + "`";
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
        const std::size_t end = text.find("\n\n", at);
        passages += text.substr(at, end - at);
    }
    return passages;
}

TEST(StoreSchema, EveryTableAndColumnIsDocumented) {
    std::ifstream file(WAITCLOSE_SOURCE "/userspace/store/schema.md");
    std::stringstream text;
    text << file.rdbuf();
    Database database = empty_recording();
    const auto tables = first_column(database, "SELECT name FROM sqlite_schema WHERE type = 'table'");
    EXPECT_GT(tables.size(), 30U);
    for (const std::string& table : tables) {
        std::string passage = passage_about(text.str(), table);
        EXPECT_FALSE(passage.empty()) << table;
        if (table == "listeners") passage += passage_about(text.str(), "sockets");
        for (const std::string& column :
             first_column(database, "SELECT name FROM pragma_table_xinfo('" + table + "')"))
            EXPECT_NE(passage.find("`" + column + "`"), std::string::npos) << table << "." << column;
    }
    for (const std::string& view :
         first_column(database, "SELECT name FROM sqlite_schema WHERE type = 'view'"))
        EXPECT_NE(text.str().find("`" + view + "`"), std::string::npos) << view;
}

TEST(StoreSchema, EveryViewCanBeUsed) {
    Directory directory;
    Filling filling;
    model::Census census = full_census(filling);
    {
        auto writer = Writer::create({.path = directory.file("a.db"), .selection = {}}).value();
        writer->about({});
        writer->look_begins(1);
        writer->look(census);
        const auto& socket = census.sockets[0];
        writer->diagnosed({socket.netns, socket.cookie}, 7, [] {
            diagnose::Diagnosis diagnosis;
            diagnosis.culprit = diagnose::Culprit{1, 2, "c", diagnose::Basis::kReadEof};
            diagnosis.because.push_back({1, 2, "c", "lock", 5, "d", diagnose::ThreadId{3, 0}});
            diagnosis.contributing = {"peer-timeout"};
            diagnosis.evidence = {
                {"a", true, "t"}, {"b", std::int64_t{3}, "t"}, {"c", std::string("s"), "t"}};
            return diagnosis;
        });
        EXPECT_TRUE(writer->finish(Ending::kAsked, 9));
    }
    int code = 0;
    Database database = std::move(*Database::open(directory.file("a.db"), 1, code));
    for (const std::string& view :
         first_column(database, "SELECT name FROM sqlite_schema WHERE type = 'view'")) {
        Statement rows = database.prepare("SELECT * FROM " + view);
        ASSERT_TRUE(rows) << view << ": " << database.error_text();
        EXPECT_NE(rows.step(), Statement::Step::kFailed) << view;
    }
    EXPECT_EQ(database.number("SELECT count(*) FROM open_holds"), 4);
    EXPECT_EQ(database.number("SELECT count(*) FROM evidence_list"), 3);
    EXPECT_EQ(database.number("SELECT holds FROM diagnosis_list"), 1);
    EXPECT_EQ(first_column(database, "SELECT culprit FROM open_holds WHERE culprit IS NOT NULL"),
              std::vector<std::string>{"c"});
}

}  // namespace
}  // namespace waitclose::store
