// Texts of cells as numbers, as words to search, and as CSV.
poolwise.texts = (() => {
  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const ISOLATES = /[\u2066-\u2069]/g;
  // As in tasks/stats/spreadsheet.py.
  const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
  const PLAIN_NUMBER = /^[+-]?\d[\d.,]*([eE][+-]?\d+)?$/;

  // −1,234.5 → -1234.5 and 1.2 × 10⁻⁷ → 1.2e-7; other texts keep their other characters.
  function ascii(text) {
    return text.trim().replace(/−/g, "-").replace(/(\d),(?=\d{3})/g, "$1")
      .replace(/\s*×\s*10(⁻?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)/, (_, minus, digits) =>
        "e" + (minus && "-") + Array.from(digits, (digit) => SUPERSCRIPTS.indexOf(digit)).join(""));
  }

  // The first number in the text; NaN where there is none.
  function numberOf(text) {
    return Number(ascii(text).match(/-?\d+(\.\d+)?(e-?\d+)?/)?.[0] ?? NaN);
  }

  const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  // A text that a spreadsheet would take for a formula is kept one by an apostrophe.
  function csvCell(text, isNumber) {
    const plain = isNumber ? ascii(text).replace(/^–$/, "") : text.replace(ISOLATES, "").trim();
    const safe = FORMULA.test(plain) && !PLAIN_NUMBER.test(plain) ? "'" + plain : plain;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  const csv = (lines) => "\ufeff" + lines.map((line) => line.join(",") + "\r\n").join("");
  const count = (number) => number.toLocaleString("en");
  return { numberOf, folded, csvCell, csv, count };
})();
