#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "config/args.h"
#include "layers/eval_call.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// A tensor with a letter for each of its axes.
struct Labelled {
  Expr x;
  std::string axes;

  Dim dim(char letter) const { return x.dim(static_cast<int>(axes.find(letter))); }
  /// Only axes that `keep` names; others are summed up.
  Labelled summed(const std::string& keep) const {
    std::vector<int> others;
    std::string left;
    for (size_t i = 0; i < axes.size(); ++i) {
      if (keep.find(axes[i]) == std::string::npos) {
        others.push_back(static_cast<int>(i));
      } else {
        left += axes[i];
      }
    }
    return {others.empty() ? x : ops::reduce(ops::Reduction::kSum, x, others), left};
  }
  Expr ordered(const std::string& order) const {
    std::vector<int> permutation;
    for (const char letter : order) {
      permutation.push_back(static_cast<int>(axes.find(letter)));
    }
    return ops::permute(x, permutation);
  }
};

std::string letters_in(const std::string& text, const std::string& other, bool present) {
  std::string result;
  for (const char letter : text) {
    if ((other.find(letter) != std::string::npos) == present) {
      result += letter;
    }
  }
  return result;
}

/// One axis in place of several; one of size 1 in place of none.
Dim merged(const Labelled& of, const std::string& letters) {
  std::vector<Dim> dims;
  for (const char letter : letters) {
    dims.push_back(of.dim(letter));
  }
  return dims.empty()       ? Dim::fixed(1, Dim::Kind::kSpatial)
         : dims.size() == 1 ? dims[0]
                            : Dim::derived(Dim::Op::kMul, dims, Dim::Kind::kSpatial);
}

/// The product over all axes that both have, summed over those that `keep` does not name: one batched matrix product.
Labelled product(const Labelled& left, const Labelled& right, const std::string& keep) {
  const Labelled a = left.summed(keep + right.axes);
  const Labelled b = right.summed(keep + left.axes);
  const std::string both = letters_in(a.axes, b.axes, true);
  const std::string batch = letters_in(both, keep, true);
  const std::string inner = letters_in(both, keep, false);
  const std::string rows = letters_in(a.axes, b.axes, false);
  const std::string columns = letters_in(b.axes, a.axes, false);
  std::vector<Dim> outer;
  for (const char letter : batch) {
    outer.push_back(a.dim(letter));
  }
  const auto matrix = [&](const Labelled& x, const std::string& first, const std::string& second) {
    std::vector<Dim> dims = outer;
    dims.push_back(merged(x, first));
    dims.push_back(merged(x, second));
    return ops::reshape(x.ordered(batch + first + second), dims);
  };
  const Expr out = ops::batch_matmul(matrix(a, rows, inner), matrix(b, inner, columns));
  std::vector<Dim> dims = outer;
  for (const char letter : rows) {
    dims.push_back(a.dim(letter));
  }
  for (const char letter : columns) {
    dims.push_back(b.dim(letter));
  }
  return {ops::reshape(out, dims), batch + rows + columns};
}

/// "..." as capital letters, the last of them the last axis that it stands for.
std::string without_ellipsis(std::string axes, int count) {
  const size_t at = axes.find("...");
  if (at != std::string::npos) {
    std::string letters;
    for (int i = count; i > 0; --i) {
      letters += static_cast<char>('A' + i - 1);
    }
    axes.replace(at, 3, letters);
  }
  return axes;
}

std::string without_spaces(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

/// Letters that occur once, in alphabetical order: the result's where the equation names none.
std::string implied_result(const std::vector<Labelled>& operands) {
  std::string all;
  for (const Labelled& operand : operands) {
    all += operand.axes;
  }
  std::string once;
  for (const char letter : all) {
    if (std::count(all.begin(), all.end(), letter) == 1) {
      once += letter;
    }
  }
  std::sort(once.begin(), once.end());
  return once;
}

Value einsum(const Call& call) {
  const Value& equation = call.get(0, {"equation"});
  const std::string text = without_spaces(equation.as_string());
  const size_t arrow = text.find("->");
  std::string inputs = text.substr(0, arrow);
  std::vector<Labelled> operands;
  int most = 0;
  for (size_t i = 1; !inputs.empty(); ++i) {
    const std::string axes = inputs.substr(0, inputs.find(','));
    inputs = axes.size() == inputs.size() ? std::string() : inputs.substr(axes.size() + 1);
    const Expr x = traced_expr(call.graph, call.get(i, {"inputs"}));
    const int named = static_cast<int>(axes.size()) - (axes.find("...") == std::string::npos ? 0 : 3);
    most = std::max(most, axes.find("...") == std::string::npos ? 0 : x.rank() - named);
    operands.push_back({x, without_ellipsis(axes, x.rank() - named)});
    std::string sorted = operands.back().axes;
    std::sort(sorted.begin(), sorted.end());
    if (static_cast<int>(sorted.size()) != x.rank() || std::unique(sorted.begin(), sorted.end()) != sorted.end()) {
      throw equation.error(
          fmt::format("tf.einsum: '{}' does not name the axes of {}, each once", axes, x.type().str()));
    }
  }
  const std::string out =
      arrow == std::string::npos ? implied_result(operands) : without_ellipsis(text.substr(arrow + 2), most);
  Labelled result = operands.at(0);
  for (size_t i = 1; i < operands.size(); ++i) {
    std::string keep = out;
    for (size_t later = i + 1; later < operands.size(); ++later) {
      keep += operands[later].axes;
    }
    result = product(result, operands[i], keep);
  }
  result = result.summed(out);
  if (result.axes.size() != out.size()) {
    throw equation.error("tf.einsum: the result names axes that no operand has");
  }
  return traced(result.ordered(out));
}

/// tf.tensordot(a, b, axes): a number of axes, last ones of a with first ones of b, or the two lists.
Value tensordot(const Call& call) {
  Labelled a{call.tensor(), ""};
  Labelled b{traced_expr(call.graph, call.get(1, {"b"})), ""};
  const auto letters = [](int count, char first) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += static_cast<char>(first + i);
    }
    return text;
  };
  a.axes = letters(a.x.rank(), 'a');
  b.axes = letters(b.x.rank(), 'n');
  std::string inner;
  const auto join = [&](int64_t of_a, int64_t of_b) {
    const char letter = a.axes.at(static_cast<size_t>(of_a < 0 ? of_a + a.x.rank() : of_a));
    b.axes.at(static_cast<size_t>(of_b < 0 ? of_b + b.x.rank() : of_b)) = letter;
    inner += letter;
  };
  const Value& axes = call.get(2, {"axes"});
  if (axes.is_sequence()) {
    const std::vector<Value> of_a = items_of(axes.items().at(0));
    const std::vector<Value> of_b = items_of(axes.items().at(1));
    for (size_t i = 0; i < of_a.size(); ++i) {
      join(of_a[i].as_int(), of_b.at(i).as_int());
    }
  } else {
    for (int64_t i = 0; i < axes.as_int(); ++i) {
      join(a.x.rank() - axes.as_int() + i, i);
    }
  }
  const std::string out = letters_in(a.axes + b.axes, inner, false);
  return traced(product(a, b, out).ordered(out));
}

Value add_n(const Call& call) {
  const std::vector<Expr> parts = common_operands(call.graph, call.get(0, {"inputs"}).items());
  Expr sum = parts.at(0);
  for (size_t i = 1; i < parts.size(); ++i) {
    sum = ops::add(sum, parts[i]);
  }
  return traced(sum);
}

}  // namespace

TracedFunctions product_functions() {
  return {{"einsum", einsum}, {"tensordot", tensordot}, {"add_n", add_n}, {"accumulate_n", add_n}};
}

}  // namespace wende
