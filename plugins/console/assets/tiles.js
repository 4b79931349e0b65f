import { h } from './dom.js';

/**
 * Single figures, side by side.
 *
 * @param {{ title: string; value: string; more?: string }[]} figures
 */
export const tiles = (figures) =>
    h(
        'dl',
        { class: 'tiles' },
        figures.map(({ title, value, more }) =>
            h(
                'div',
                { class: 'card tile' },
                h('dt', {}, title),
                h('dd', {}, h('strong', {}, value), more && h('small', {}, more)),
            ),
        ),
    );
