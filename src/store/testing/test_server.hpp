#pragma once

// For tests: a private PostgreSQL, real and on a Unix socket alone, in a temporary directory, with a database for each
// test that asks. It ends with the process that started it, however that ends.

#include <fcntl.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/testing/temporary_directory.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::store::postgres {

enum class Durability { fast, real };

class TestServer {
 public:
  explicit TestServer(Durability durability = Durability::fast) : durability_(durability) {
    own(directory_.path());
    run({"initdb", "-D", data(), "-U", "latchkey", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"});
    start();
  }
  ~TestServer() { kill(SIGQUIT); }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  /// One for all tests of the process that need no more than a database of their own.
  static TestServer& shared() {
    static TestServer server;
    return server;
  }

  /// A standby of this one, streaming.
  std::unique_ptr<TestServer> standby() {
    std::unique_ptr<TestServer> standby(new TestServer(durability_, 0));
    own(standby->directory_.path());
    run({"pg_basebackup", "-h", directory_.path(), "-U", "latchkey", "-D", standby->data(), "-R", "-c", "fast"});
    standby->start();
    return standby;
  }

  std::string url(const std::string& database) const {
    return "postgresql:///" + database + "?user=latchkey&host=" + directory_.path().string();
  }
  std::string create_database() {
    static std::atomic<int> count = 0;
    const std::string name = "test" + std::to_string(++count);
    execute("postgres", "CREATE DATABASE " + name);
    return name;
  }
  /// As an operator in psql.
  void execute(const std::string& database, const std::string& sql) {
    const auto done = connect(database)->execute(sql);
    if (!done) throw std::runtime_error(sql + ": " + done.error().internal);
  }
  std::string query(const std::string& database, const std::string& sql) {
    const auto connection = connect(database);
    const auto rows = connection->query(sql);
    if (!rows) throw std::runtime_error(sql + ": " + rows.error().internal);
    return rows->count() == 0 ? "" : std::string((*rows)[0].text(0));
  }

  void start() {
    std::vector<std::string> command = {"postgres",
                                        "-D",
                                        data(),
                                        "-k",
                                        directory_.path(),
                                        "-c",
                                        "listen_addresses=",
                                        "-c",
                                        "shared_buffers=32MB",
                                        "-c",
                                        "max_connections=60",
                                        "-c",
                                        "logging_collector=off",
                                        "-c",
                                        "log_min_messages=fatal"};
    if (durability_ == Durability::fast) command.insert(command.end(), {"-c", "fsync=off"});
    pid_ = spawn(std::move(command));
    for (int i = 0; i < 3000; ++i) {
      if (Connection::open(*Url::parse(url("postgres")), Server::any)) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error("PostgreSQL did not start");
  }
  /// SIGINT: fast shutdown; SIGQUIT: immediate, as a crash. The postmaster's own kill -9 would leave its children.
  void kill(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  std::string data() const { return directory_ / "data"; }
  /// Of files that the server's user makes or is to read.
  void copy_data(const std::filesystem::path& from, const std::filesystem::path& to) {
    run_plain({"cp", "-a", from, to});
  }
  std::filesystem::path directory() const { return directory_.path(); }

 private:
  TestServer(Durability durability, int) : durability_(durability) {}

  std::unique_ptr<Connection> connect(const std::string& database) {
    auto connection = Connection::open(*Url::parse(url(database)), Server::any);
    if (!connection) throw std::runtime_error(connection.error().internal);
    return std::move(*connection);
  }

  // PostgreSQL refuses to run as root; Debian's package has made a user for it.
  static const passwd* user() { return ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr; }
  static void own(const std::filesystem::path& path) {
    if (user() != nullptr && ::chown(path.c_str(), user()->pw_uid, user()->pw_gid) != 0) {
      throw std::runtime_error("chown " + path.string());
    }
  }

  static pid_t spawn(std::vector<std::string> command) {
    command[0] = std::string("/usr/lib/postgresql/15/bin/") + command[0];
    return spawn_plain(std::move(command));
  }
  static pid_t spawn_plain(std::vector<std::string> command) {
    const passwd* as = user();
    std::vector<char*> arguments;
    for (auto& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (as != nullptr && (::setgid(as->pw_gid) != 0 || ::setuid(as->pw_uid) != 0)) ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which would clear it
    if (::getppid() != parent) ::_exit(125);
    const int nothing = ::open("/dev/null", O_RDWR);
    ::dup2(nothing, 0);
    ::dup2(nothing, 1);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  static void run(std::vector<std::string> command) {
    command[0] = std::string("/usr/lib/postgresql/15/bin/") + command[0];
    run_plain(std::move(command));
  }
  static void run_plain(std::vector<std::string> command) {
    const std::string name = command[0];
    int status = 0;
    ::waitpid(spawn_plain(std::move(command)), &status, 0);
    if (status != 0) throw std::runtime_error(name + " failed");
  }

  TemporaryDirectory directory_;
  const Durability durability_;
  pid_t pid_ = 0;
};

}  // namespace latchkey::store::postgres
