/** A spreadsheet takes what begins so for a formula. */
const FORMULA = /^[=+\-@\t\r]/;
const AMOUNT = /^-?\d+(\.\d+)?$/;
const NEEDS_QUOTES = /[",\r\n]/;

/** A table in CSV (RFC 4180). A text that a spreadsheet would run stands behind an apostrophe; amounts stay as they are. */
export const csv = (rows: (string | number | null)[][]): string =>
    rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');

function cell(value: string | number | null): string {
    if (typeof value !== 'string') return value === null ? '' : String(value);
    const text = FORMULA.test(value) && !AMOUNT.test(value) ? `'${value}` : value;
    return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
