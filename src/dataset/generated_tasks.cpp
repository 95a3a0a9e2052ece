#include <fmt/core.h>

#include <cmath>
#include <string>
#include <string_view>

#include "dataset/generated_dataset.h"

namespace wende {

namespace {

using Labels = GeneratedDataset::Labels;

char choose(RandomState& random, std::string_view characters) {
  return characters[static_cast<size_t>(random.randint(0, static_cast<int64_t>(characters.size())))];
}

std::vector<int32_t> labels_of(std::string_view text, std::string_view alphabet) {
  std::vector<int32_t> labels;
  labels.reserve(text.size());
  for (char c : text) labels.push_back(static_cast<int32_t>(alphabet.find(c)));
  return labels;
}

/// The 12AX memory task: R at the X of "1..AX" or the Y of "2..BY", else L.
class Task12AX : public GeneratedDataset {
 public:
  Task12AX(const Value& options, SeqOrderOptions order) : GeneratedDataset(options, std::move(order)) {
    set_keys(static_cast<int64_t>(kAlphabet.size()), 2, false);
  }

 protected:
  static constexpr std::string_view kAlphabet = "123ABCXYZ";

  Labels generate(int64_t, RandomState& random) const override {
    const size_t length = static_cast<size_t>(random.randint(10, 100));
    static const std::string_view starts[] = {"", "1", "2"};
    std::string text(starts[random.randint(0, 3)]);
    while (text.size() < length) {
      if (random.random_sample() < 0.5) text += choose(random, "12");
      if (random.random_sample() < 0.9) text += random.randint(0, 2) == 0 ? "AX" : "BY";
      while (random.random_sample() < 0.5) text += choose(random, kAlphabet);
    }
    text.resize(length);
    return {labels_of(text, kAlphabet), answers(text)};
  }

 private:
  static std::vector<int32_t> answers(std::string_view text) {
    std::vector<int32_t> output;
    char outer = 0;
    char inner = 0;
    for (char c : text) {
      int32_t answer = 0;
      if (c == '1' || c == '2') outer = c;
      if (c == 'A' || c == 'B') inner = c;
      if (c == 'X' || c == 'Y') {
        const bool one = outer == '1' && inner == 'A' && c == 'X';
        const bool two = outer == '2' && inner == 'B' && c == 'Y';
        answer = one || two ? 1 : 0;
        inner = 0;
      }
      output.push_back(answer);
    }
    return output;
  }
};

/// Characters, many blanks, then dots, at which the characters are to be repeated.
class TaskEpisodicCopy : public GeneratedDataset {
 public:
  TaskEpisodicCopy(const Value& options, SeqOrderOptions order) : GeneratedDataset(options, std::move(order)) {
    set_keys(static_cast<int64_t>(kAlphabet.size()), static_cast<int64_t>(kAlphabet.size()), false);
  }

 protected:
  static constexpr std::string_view kAlphabet = " .01234567";

  Labels generate(int64_t, RandomState& random) const override {
    std::string memory;
    const int64_t count = random.randint(1, 10);
    for (int64_t i = 0; i < count; ++i) memory += choose(random, kAlphabet.substr(2));
    const size_t blanks = static_cast<size_t>(random.randint(1, 100));
    const std::string input = memory + std::string(blanks, ' ') + std::string(memory.size() + 2, '.');
    const std::string output = std::string(memory.size() + blanks + 1, ' ') + memory + ".";
    return {labels_of(input, kAlphabet), labels_of(output, kAlphabet)};
  }
};

/// Nested tags; the task is to predict the next character as far as it is determined.
class TaskXmlModeling : public GeneratedDataset {
 public:
  TaskXmlModeling(const Value& options, SeqOrderOptions order) : GeneratedDataset(options, std::move(order)) {
    if (const Value* depth = options.find("limit_stack_depth")) depth_ = static_cast<size_t>(depth->as_int());
    set_keys(static_cast<int64_t>(kAlphabet.size()), static_cast<int64_t>(kAlphabet.size()), false);
  }

 protected:
  static constexpr std::string_view kAlphabet = " <>/abcdefgh";

  Labels generate(int64_t, RandomState& random) const override {
    std::string input = " ";
    std::string output = "<";
    std::vector<std::string> open;
    do {
      if (open.empty() || (open.size() < depth_ && random.random_sample() > 0.6)) {
        std::string tag;
        const int64_t length = random.randint(1, 10);
        for (int64_t i = 0; i < length; ++i) tag += choose(random, kAlphabet.substr(4));
        input += "<" + tag + ">";
        output += std::string(tag.size() + 1, ' ') + "<";
        open.push_back(std::move(tag));
      } else {
        const std::string& tag = open.back();
        input += "</" + tag + ">";
        output += " " + tag + "><";
        open.pop_back();
      }
    } while (!open.empty() || random.random_sample() <= 0.2);
    return {labels_of(input, kAlphabet), labels_of(output, kAlphabet)};
  }

 private:
  size_t depth_ = 4;
};

/// Random labels; input and output are the same.
class CopyTask : public GeneratedDataset {
 public:
  CopyTask(const Value& options, SeqOrderOptions order) : GeneratedDataset(options, std::move(order)) {
    const Value* symbols = options.find("nsymbols");
    if (symbols == nullptr) throw options.error("CopyTaskDataset needs nsymbols");
    symbols_ = symbols->as_int();
    auto number = [&](const char* key) { return options.find(key) != nullptr ? options.find(key)->as_float() : 0.0; };
    min_ = number("minlen");
    max_ = number("maxlen");
    min_factor_ = number("minlen_epoch_factor");
    max_factor_ = number("maxlen_epoch_factor");
    if (min_ + min_factor_ < 1 || max_ + max_factor_ < min_ + min_factor_ || symbols_ < 1 || symbols_ > 256) {
      throw options.error("CopyTaskDataset needs 1 <= minlen <= maxlen and 1 <= nsymbols <= 256");
    }
    set_keys(symbols_, symbols_, true);
  }

 protected:
  Labels generate(int64_t, RandomState& random) const override {
    const int64_t least = static_cast<int64_t>(min_ + min_factor_ * epoch_);
    const int64_t most = static_cast<int64_t>(max_ + max_factor_ * epoch_);
    Labels labels;
    labels.input.resize(static_cast<size_t>(random.randint(least, most + 1)));
    for (int32_t& label : labels.input) label = static_cast<int32_t>(random.randint(0, symbols_));
    labels.output = labels.input;
    return labels;
  }

 private:
  int64_t symbols_ = 0;
  double min_ = 0, max_ = 0, min_factor_ = 0, max_factor_ = 0;
};

/// Counting numbers, scaled; without meaning.
class DummyDataset : public GeneratedDataset {
 public:
  DummyDataset(const Value& options, SeqOrderOptions order) : GeneratedDataset(options, std::move(order)) {
    auto needed = [&](const char* key) -> const Value& {
      const Value* value = options.find(key);
      if (value == nullptr) throw options.error(fmt::format("DummyDataset needs {}", key));
      return *value;
    };
    auto number = [&](const char* key, double fallback) {
      const Value* value = options.find(key);
      return value != nullptr && !value->is_none() ? value->as_float() : fallback;
    };
    const Value& output = needed("output_dim");
    const Value& classes = output.is_dict() && output.find("classes") != nullptr ? *output.find("classes") : output;
    set_keys(needed("input_dim").as_int(), classes.is_sequence() ? classes.items().at(0).as_int() : classes.as_int(),
             false);
    frames_ = static_cast<int64_t>(number("seq_len", 2));
    modulus_ = number("input_max_value", 10);
    shift_ = number("input_shift", -modulus_ / 2);
    scale_ = number("input_scale", 1 / modulus_);
  }

 protected:
  Labels generate(int64_t corpus_index, RandomState&) const override {
    const int64_t inputs = frames_ * keys_.at("data").dim;
    Labels labels;
    labels.input.assign(static_cast<size_t>(frames_), static_cast<int32_t>(corpus_index));
    for (int64_t t = 0; t < frames_; ++t) {
      labels.output.push_back(static_cast<int32_t>((corpus_index + inputs + t) % keys_.at("classes").dim));
    }
    return labels;
  }

  Tensor input_tensor(const Labels& labels) const override {
    const int64_t first = labels.input.empty() ? 0 : labels.input.front();
    Tensor tensor = Tensor::empty(DType::kFloat32, {frames_, keys_.at("data").dim});
    for (int64_t i = 0; i < tensor.elements(); ++i) {
      tensor.data<float>()[i] =
          static_cast<float>((std::fmod(static_cast<double>(first + i), modulus_) + shift_) * scale_);
    }
    return tensor;
  }

 private:
  int64_t frames_ = 2;
  double modulus_ = 10, shift_ = -5, scale_ = 0.1;
};

template <class T>
std::unique_ptr<CorpusDataset> make(const Value& options, SeqOrderOptions order) {
  return std::make_unique<T>(options, std::move(order));
}

}  // namespace

std::unique_ptr<CorpusDataset> make_task_12ax(const Value& options, const Config&, SeqOrderOptions order) {
  return make<Task12AX>(options, std::move(order));
}
std::unique_ptr<CorpusDataset> make_task_episodic_copy(const Value& options, const Config&, SeqOrderOptions order) {
  return make<TaskEpisodicCopy>(options, std::move(order));
}
std::unique_ptr<CorpusDataset> make_task_xml_modeling(const Value& options, const Config&, SeqOrderOptions order) {
  return make<TaskXmlModeling>(options, std::move(order));
}
std::unique_ptr<CorpusDataset> make_copy_task(const Value& options, const Config&, SeqOrderOptions order) {
  return make<CopyTask>(options, std::move(order));
}
std::unique_ptr<CorpusDataset> make_dummy_dataset(const Value& options, const Config&, SeqOrderOptions order) {
  return make<DummyDataset>(options, std::move(order));
}

}  // namespace wende
