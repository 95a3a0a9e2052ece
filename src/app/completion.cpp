#include "app/completion.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include "app/command_line.h"

namespace wende {

namespace {

void print_bash() {
  std::string names;
  std::string cases;
  for (const CommandWords& command : command_words()) {
    names += (names.empty() ? "" : " ") + command.name;
    cases += fmt::format("      {}) words=\"{}\" ;;\n", command.name, fmt::join(command.options, " "));
  }
  fmt::print(
      R"sh(_wende() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} words=
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="{}"
  else
    case ${{COMP_WORDS[1]}} in
{}    esac
  fi
  if [ "${{COMP_WORDS[1]}}" = layers ] && [ "$COMP_CWORD" -gt 1 ]; then
    words="$words $(wende layers 2>/dev/null | cut -d' ' -f1)"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _wende wende
)sh",
      names, cases);
}

void print_fish() {
  for (const CommandWords& command : command_words()) {
    std::string help = command.help;
    for (size_t at = 0; (at = help.find('\'', at)) != std::string::npos; at += 2) {
      help.insert(at, "\\");
    }
    fmt::print("complete -c wende -n __fish_use_subcommand -a {} -d '{}'\n", command.name, help);
    for (const std::string& option : command.options) {
      fmt::print("complete -c wende -n '__fish_seen_subcommand_from {}' -l {}\n", command.name, option.substr(2));
    }
  }
  fmt::print(
      "complete -c wende -n '__fish_seen_subcommand_from layers' -a '(wende layers 2>/dev/null | cut -d\" \" -f1)'\n");
}

}  // namespace

void print_completion(const std::string& shell) {
  if (shell == "fish") {
    print_fish();
    return;
  }
  if (shell == "zsh") {
    fmt::print("autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n");
  }
  print_bash();
}

}  // namespace wende
