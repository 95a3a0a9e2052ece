#include "dataset/tag_list.h"

#include <fmt/core.h>

#include <filesystem>

#include "config/config.h"
#include "io/text_file.h"

namespace wende {

namespace {

std::vector<std::string> tags_of(const Value& list) {
  std::vector<std::string> tags;
  for (const Value& tag : list.items()) tags.push_back(tag.as_string());
  return tags;
}

}  // namespace

Value unpickled(const Value& file) {
  const std::string& path = file.as_string();
  if (!std::filesystem::exists(path)) {
    throw Error(ExitStatus::kMissingInput, fmt::format("no such file: '{}'", path)).at(file.span(), file.path());
  }
  const char* open = path.ends_with(".gz") ? "__import__('gzip').open" : "open";
  const Value content = evaluate_expression(fmt::format("__import__('pickle').load({}(path, 'rb'))", open), file.span(),
                                            {{"path", file}});
  return content.placed(file.span(), file.path());
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (line.ends_with("\r")) line.pop_back();
    lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

std::map<std::string, std::vector<std::string>> read_tag_lists(const Value& file) {
  const std::string& path = file.as_string();
  if (!path.ends_with(".pkl") && !path.ends_with(".pkl.gz")) return {{"", lines_of(read_text_file(path))}};
  const Value content = unpickled(file);
  if (!content.is_dict()) return {{"", tags_of(content)}};
  std::map<std::string, std::vector<std::string>> lists;
  for (const auto& [name, list] : content.entries()) lists[name.as_string()] = tags_of(list);
  return lists;
}

std::vector<std::string> read_tag_list(const Value& file) {
  std::map<std::string, std::vector<std::string>> lists = read_tag_lists(file);
  const auto found = lists.find("");
  if (found == lists.end() || lists.size() != 1) {
    throw file.error(fmt::format("'{}': a list of sequence tags is needed, this is a dict", file.as_string()));
  }
  return std::move(found->second);
}

}  // namespace wende
