import { h, newId } from './dom.js';
import { failure } from './notices.js';

/**
 * @typedef {{
 *     name: string;
 *     label: string;
 *     type?: string;
 *     options?: [value: string, text: string][];
 *     hint?: string;
 *     value?: string;
 *     required?: boolean;
 *     maxlength?: number;
 *     autocomplete?: string;
 * }} Field
 */

/**
 * A field with its label, and what it needs to be said of it.
 *
 * @param {Field} field
 */
export function field({ name, label, type = 'text', options, hint, value = '', ...rest }) {
    const id = newId();
    const hintId = hint === undefined ? null : `${id}-hint`;
    const attributes = { id, name, ...rest, 'aria-describedby': hintId };
    return h(
        'div',
        { class: 'field' },
        h('label', { for: id }, label),
        control(type, value, options ?? [], attributes),
        hint !== undefined && h('small', { id: hintId }, hint),
    );
}

/**
 * @param {string} type @param {string} value @param {[string, string][]} options @param {Record<string,
 *   import('./dom.js').Attribute>} attributes
 */
function control(type, value, options, attributes) {
    if (type === 'select') {
        return h(
            'select',
            { ...attributes },
            options.map(([key, text]) => h('option', { value: key, selected: key === value }, text)),
        );
    }
    if (type === 'textarea') return h('textarea', { rows: 3, ...attributes }, value);
    return h('input', { type, value, ...attributes });
}

/** What stands in a form, without what was left empty. @param {HTMLFormElement} form @returns {Record<string, string>} */
export const valuesOf = (form) =>
    Object.fromEntries(
        [...new FormData(form)]
            .map(([name, value]) => [name, typeof value === 'string' ? value.trim() : ''])
            .filter(([, value]) => value !== ''),
    );

/**
 * Asks for what an action needs, and does it: the dialog stays, with what went wrong, until it is done or given up.
 *
 * @param {{
 *     title: string;
 *     text?: string;
 *     fields?: Field[];
 *     action: string;
 *     isDangerous?: boolean;
 *     run: (values: Record<string, string>) => Promise<void>;
 * }} options
 */
export function ask({ title, text, fields = [], action, isDangerous = false, run }) {
    const titleId = newId();
    const problem = h('div', {});
    const submit = h('button', { class: isDangerous ? 'danger' : 'primary' }, action);
    const form = h(
        'form',
        { method: 'dialog', onsubmit: send },
        h('h2', { id: titleId }, title),
        text !== undefined && h('p', {}, text),
        fields.map(field),
        problem,
        h(
            'div',
            { class: 'actions' },
            h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
            submit,
        ),
    );
    const dialog = h('dialog', { 'aria-labelledby': titleId, onclose: () => end(dialog) }, form);
    document.body.append(dialog);
    dialog.showModal();

    /** @param {SubmitEvent} event */
    async function send(event) {
        event.preventDefault();
        submit.disabled = true;
        try {
            await run(valuesOf(form));
            dialog.close();
        } catch (error) {
            problem.replaceChildren(failure(error));
        } finally {
            submit.disabled = false;
        }
    }
}

/**
 * What had the focus before may be gone with what was done: then it is at the top of the page.
 *
 * @param {HTMLDialogElement} dialog
 */
function end(dialog) {
    dialog.remove();
    if (document.activeElement !== document.body) return;
    /** @type {HTMLElement | null} */ (document.querySelector('main h1'))?.focus();
}

/**
 * Shows something that will not be shown again.
 *
 * @param {{ title: string; text: string; secret: string }} options
 */
export function showOnce({ title, text, secret }) {
    const titleId = newId();
    const field = h('textarea', { readonly: true, rows: 4, 'aria-label': title, class: 'secret' }, secret);
    const copied = h('span', { class: 'quiet', role: 'status' });
    const copy = async () => {
        field.select();
        // Only where the address is HTTPS or this machine; elsewhere it is selected and can be copied by hand.
        await navigator.clipboard?.writeText(secret);
        copied.textContent = navigator.clipboard ? 'Copied' : 'Selected: copy it by hand';
    };
    const dialog = h(
        'dialog',
        { 'aria-labelledby': titleId, onclose: () => end(dialog) },
        h('h2', { id: titleId }, title),
        h('p', {}, text),
        field,
        h(
            'div',
            { class: 'actions' },
            copied,
            h('button', { type: 'button', onclick: copy }, 'Copy'),
            h('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, 'I have kept it'),
        ),
    );
    document.body.append(dialog);
    dialog.showModal();
}
