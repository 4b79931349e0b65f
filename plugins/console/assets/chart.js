import { h, svg } from './dom.js';
import { table } from './table.js';

const HEIGHT = 180;
const MARGIN = { top: 8, right: 4, bottom: 22, left: 56 };
const STEPS = [1, 2, 2.5, 5, 10];
const LABEL_WIDTH = 54;

/**
 * @typedef {{ name: string; kind: string; values: number[] }} Series One colour each, of the bars of one kind
 *
 * @typedef {{
 *     title: string;
 *     labels: string[];
 *     series: Series[];
 *     least: number;
 *     format: (value: number) => string;
 *     formatScale: (value: number) => string;
 * }} Chart
 *   The scale goes to `least`, where no figure is higher
 */

/**
 * Bars over time, one upon the other; the same figures stand in a table below, for whoever does not see the bars.
 *
 * @param {Chart} chart
 */
export function barChart(chart) {
    const { title, labels, series, format } = chart;
    const readout = h('p', { class: 'readout' });
    const plot = h('div', { class: 'plot' });

    /** @param {number} at */
    function tell(at) {
        const figures = series.map(({ name, values }) => `${name} ${format(values[at] ?? 0)}`);
        readout.textContent = `${labels[at]}: ${figures.join(', ')}`;
        for (const bar of plot.querySelectorAll('.column')) bar.classList.toggle('is-told', bar.dataset.at === `${at}`);
    }

    const draw = () => {
        // It is not on the page, or not any more.
        if (plot.clientWidth === 0 || labels.length === 0) return;
        plot.replaceChildren(drawing(chart, plot.clientWidth, tell));
        tell(labels.length - 1);
    };
    new ResizeObserver(draw).observe(plot);
    return h(
        'figure',
        { class: 'chart' },
        h('figcaption', {}, h('h2', {}, title), series.length > 1 && legend(series), labels.length > 0 && readout),
        plot,
        figures(chart),
    );
}

/** @param {Series[]} series */
const legend = (series) =>
    h(
        'ul',
        { class: 'legend' },
        series.map(({ name, kind }) => h('li', { class: `is-${kind}` }, name)),
    );

/** @param {Chart} chart */
const figures = ({ title, labels, series, format }) =>
    h(
        'details',
        {},
        h('summary', {}, 'Figures'),
        table({
            caption: title,
            columns: [
                { title: 'Time', cell: (at) => labels[at], isHeader: true },
                ...series.map(({ name, values }) => ({
                    title: name,
                    cell: (/** @type {number} */ at) => format(values[at] ?? 0),
                    isNumber: true,
                })),
            ],
            rows: labels.map((_label, at) => at).reverse(),
        }),
    );

/** @param {Chart} chart @param {number} width @param {(at: number) => void} tell */
function drawing({ title, labels, series, least, format, formatScale }, width, tell) {
    const sums = labels.map((_label, at) => series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0));
    const most = Math.max(...sums, least);
    const step = niceStep(most);
    const top = step * Math.ceil(most / step);
    const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
    const y = (/** @type {number} */ value) => MARGIN.top + inner.height * (1 - value / top);
    const slot = inner.width / Math.max(labels.length, 1);
    const total = sums.reduce((sum, value) => sum + value, 0);
    const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_value, n) => n * step);
    return svg(
        'svg',
        {
            width,
            height: HEIGHT,
            role: 'img',
            'aria-label': `${title}: ${format(total)} in all. The figures are in the table below.`,
        },
        ticks.map((value) => gridLine(y(value), width, formatScale(value))),
        labels.map((_label, at) => column({ at, x: MARGIN.left + at * slot, slot, series, y, tell })),
        timeLabels(labels, slot, width),
    );
}

/** @param {number} most About four lines, at figures that are easily read */
function niceStep(most) {
    const rough = most / 4;
    const magnitude = 10 ** Math.floor(Math.log10(rough));
    return Math.max(1, magnitude * (STEPS.find((step) => step * magnitude >= rough) ?? 10));
}

/** @param {number} y @param {number} width @param {string} text */
const gridLine = (y, width, text) => [
    svg('line', { class: 'grid', x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y }),
    svg('text', { class: 'scale', x: MARGIN.left - 8, y: y + 4 }, text),
];

/**
 * @param {{
 *     at: number;
 *     x: number;
 *     slot: number;
 *     series: Series[];
 *     y: (value: number) => number;
 *     tell: (at: number) => void;
 * }} place
 */
function column({ at, x, slot, series, y, tell }) {
    const gap = Math.min(6, slot * 0.25);
    let below = 0;
    const bars = series.map(({ kind, values }) => {
        const from = below;
        below += values[at] ?? 0;
        const height = y(from) - y(below);
        return svg('rect', { class: `bar is-${kind}`, x: x + gap / 2, y: y(below), width: slot - gap, height });
    });
    return svg(
        'g',
        { class: 'column', 'data-at': at, onpointerenter: () => tell(at) },
        svg('rect', { class: 'target', x, y: MARGIN.top, width: slot, height: y(0) - MARGIN.top }),
        bars,
    );
}

/**
 * As many as there is room for, the last one always.
 *
 * @param {string[]} labels
 * @param {number} slot
 * @param {number} width
 */
function timeLabels(labels, slot, width) {
    const every = Math.max(1, Math.ceil(LABEL_WIDTH / slot));
    const most = width - LABEL_WIDTH / 2 + 6;
    return labels.map(
        (label, at) =>
            (labels.length - 1 - at) % every === 0 &&
            svg('text', { class: 'time', x: Math.min(MARGIN.left + (at + 0.5) * slot, most), y: HEIGHT - 6 }, label),
    );
}
