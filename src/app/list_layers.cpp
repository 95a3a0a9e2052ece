#include "app/list_layers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "layers/general_types.h"
#include "layers/layer.h"
#include "layers/loss.h"

namespace wende {

namespace {

/// A pipe would end the cell of a table.
std::string in_table(std::string text) {
  for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
    text.insert(at, 1, '\\');
  }
  return text;
}

std::vector<ArgsDoc::Field> general_fields() {
  ArgsDoc general;
  GeneralArgs args;
  args.fields(general);
  for (ArgsDoc::Field& field : general.fields) {
    field.type = general_option_types().at(field.name);
  }
  return general.fields;
}

void print_options(const std::vector<ArgsDoc::Field>& fields, bool markdown) {
  if (markdown) {
    fmt::print("\n| option | type | default | meaning |\n| --- | --- | --- | --- |\n");
  }
  size_t name_width = 0, type_width = 0, fallback_width = 0;
  for (const ArgsDoc::Field& field : fields) {
    name_width = std::max(name_width, field.name.size());
    type_width = std::max(type_width, field.type.size());
    fallback_width = std::max(fallback_width, field.fallback.size());
  }
  for (const ArgsDoc::Field& field : fields) {
    if (markdown) {
      fmt::print("| `{}` | {} | `{}` | {} |\n", field.name, in_table(field.type), field.fallback, field.doc);
    } else {
      fmt::print("  {:<{}}  {:<{}}  {:<{}}  {}\n", field.name, name_width, field.type, type_width, field.fallback,
                 fallback_width, field.doc);
    }
  }
}

void print_layer(const LayerClass& layer, bool markdown) {
  std::string doc = layer.doc;
  if (!layer.aliases.empty()) {
    const bool stop = doc.ends_with('.');
    doc.erase(doc.size() - (stop ? 1 : 0));
    doc += fmt::format("; also called {}{}", fmt::join(layer.aliases, ", "), stop ? "." : "");
  }
  fmt::print("{}{}{}{}\n", markdown ? "\n## " : "", layer.name, markdown ? "\n\n" : ": ", doc);
  print_options(layer.fields(), markdown);
  for (const std::string& example : layer.examples) {
    fmt::print("{}{}{}", markdown ? "\n```python\n" : "  example: ", example, markdown ? "\n```\n" : "\n");
  }
}

void print_all_markdown() {
  fmt::print(
      "# Layers\n\nWritten by `wende layers --markdown`. Every layer takes the general options as well.\n\n## General "
      "options\n");
  print_options(general_fields(), true);
  for (const std::string& name : LayerRegistry::instance().names()) {
    print_layer(*LayerRegistry::instance().find(name), true);
  }
  fmt::print("\n# Losses\n");
  for (const std::string& name : LossRegistry::instance().names()) {
    const LossClass& loss = *LossRegistry::instance().find(name);
    fmt::print("\n## {}\n\n{}\n", loss.name, loss.doc);
    print_options(loss.fields(), true);
  }
}

}  // namespace

void list_layers(const std::string& name, bool markdown) {
  if (!name.empty()) {
    const LayerClass* layer = LayerRegistry::instance().find(name);
    if (layer == nullptr) {
      throw Error(ExitStatus::kUsage, fmt::format("no layer class '{}'", name))
          .hint(did_you_mean(name, LayerRegistry::instance().names()));
    }
    print_layer(*layer, markdown);
    fmt::print("{}General options, which every layer has:\n", markdown ? "\n" : "");
    print_options(general_fields(), markdown);
    return;
  }
  if (markdown) {
    print_all_markdown();
    return;
  }
  for (const std::string& each : LayerRegistry::instance().names()) {
    fmt::print("{:<24} {}\n", each, LayerRegistry::instance().find(each)->doc);
  }
}

}  // namespace wende
