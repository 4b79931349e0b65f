type Scalar = string | number | boolean | null;
interface Row {
    [name: string]: Scalar | Row | Row[];
}

/** What a line of a list shows. */
const COLUMNS: Record<string, string[]> = {
    tenants: ['id', 'status', 'plan', 'domain', 'name'],
    users: ['id', 'isActive', 'role', 'email', 'displayName'],
};

/** What a command has to tell, for people: a line for each record of a list, or for each field of a record. */
export function printed(result: object): string {
    // What is told is JSON, as the API's answers are.
    const entries = Object.entries(result as Row);
    return entries
        .flatMap(([name, value]) => {
            if (Array.isArray(value)) return table(value, COLUMNS[name] ?? []);
            if (!isRow(value)) return [`${name}: ${text(value)}`];
            if (name === 'pagination') return nextPage(value);
            return fields(value, entries.length > 1 ? `${name}.` : '');
        })
        .map((line) => `${line}\n`)
        .join('');
}

const isRow = (value: Row[string] | undefined): value is Row => typeof value === 'object' && value !== null;

const text = (value: Row[string] | undefined): string => {
    if (value === null || value === undefined) return '-';
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

function table(rows: Row[], columns: string[]): string[] {
    const cells = [columns, ...rows.map((row) => columns.map((column) => text(row[column])))];
    const widths = columns.map((_column, n) => Math.max(...cells.map((line) => line[n]?.length ?? 0)));
    return cells.map((line) =>
        line
            .map((cell, n) => cell.padEnd(widths[n] ?? 0))
            .join('  ')
            .trimEnd(),
    );
}

const nextPage = ({ cursor }: Row): string[] => (cursor === null ? [] : [`more: --cursor ${text(cursor)}`]);

const fields = (record: Row, prefix = ''): string[] =>
    Object.entries(record).flatMap(([name, value]) =>
        isRow(value) && !Array.isArray(value)
            ? fields(value, `${prefix}${name}.`)
            : [`${prefix}${name}: ${text(value)}`],
    );
