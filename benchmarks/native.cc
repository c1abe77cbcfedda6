// Calls signatures of SavedModels in a process without Python: LoadSavedModel and Session::Run, as a server calls them.
//
// Reads lines from stdin, fields separated by tabs, and answers each with a line:
//
//   ops LIBRARY                                     loads operations                      -> "ops"
//   model DIR                                       loads a model                         -> "model MILLISECONDS"
//   call DIR SIGNATURE IN OUT TIMES SECONDS         calls a signature until one is spent  -> "call MILLISECONDS ..."
//
// IN holds a serialized TensorProto per input, <input>.pb; OUT gets one per output of the last call. At least one call is
// made. Ends with code 1 and a message on stderr at the first fault.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor.pb.h"
#include "tensorflow/core/platform/env.h"
#include "tensorflow/core/public/session.h"

namespace {

using Clock = std::chrono::steady_clock;
using Fields = std::vector<std::string>;

std::map<std::string, std::unique_ptr<tensorflow::SavedModelBundle>> models;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

[[noreturn]] void Stop(const std::string& what, const std::string& why) {
  std::cerr << what << ": " << why << "\n";
  std::exit(1);
}

void Require(const std::string& what, const tensorflow::Status& status) {
  if (!status.ok()) Stop(what, status.ToString());
}

tensorflow::Tensor Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  tensorflow::TensorProto proto;
  tensorflow::Tensor tensor;
  if (!file || !proto.ParseFromString(bytes) || !tensor.FromProto(proto)) Stop(path, "holds no tensor");
  return tensor;
}

void Load(const std::string& folder) {
  auto bundle = std::make_unique<tensorflow::SavedModelBundle>();
  const auto start = Clock::now();
  Require(folder, tensorflow::LoadSavedModel({}, {}, folder, {"serve"}, bundle.get()));
  std::cout << "model " << MillisecondsSince(start) << std::endl;
  models[folder] = std::move(bundle);
}

void Call(const Fields& fields) {
  const auto& bundle = *models.at(fields[1]);
  const auto found = bundle.GetSignatures().find(fields[2]);
  if (found == bundle.GetSignatures().end()) Stop(fields[1], "no signature " + fields[2]);
  const size_t times = std::stoul(fields[5]);
  const double milliseconds = 1000 * std::stod(fields[6]);

  std::vector<std::pair<std::string, tensorflow::Tensor>> feeds;
  for (const auto& input : found->second.inputs()) {
    feeds.emplace_back(input.second.name(), Read(fields[3] + "/" + input.first + ".pb"));
  }
  Fields names, fetched;
  for (const auto& output : found->second.outputs()) {
    names.push_back(output.first);
    fetched.push_back(output.second.name());
  }

  std::vector<tensorflow::Tensor> results;
  std::vector<double> taken;
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    Require(fields[2], bundle.GetSession()->Run(feeds, fetched, {}, &results));
    taken.push_back(MillisecondsSince(start));
  } while (taken.size() < times && MillisecondsSince(begin) < milliseconds);

  for (size_t i = 0; i < results.size(); ++i) {
    tensorflow::TensorProto proto;
    results[i].AsProtoField(&proto);
    std::ofstream(fields[4] + "/" + names[i] + ".pb", std::ios::binary) << proto.SerializeAsString();
  }
  std::cout << "call";
  for (const double one : taken) std::cout << " " << one;
  std::cout << std::endl;
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    Fields fields;
    std::stringstream stream(line);
    for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
    if (fields[0] == "ops") {
      void* handle = nullptr;
      Require(fields[1], tensorflow::Env::Default()->LoadDynamicLibrary(fields[1].c_str(), &handle));
      std::cout << "ops" << std::endl;
    } else if (fields[0] == "model") {
      Load(fields[1]);
    } else {
      Call(fields);
    }
  }
  return 0;
}
