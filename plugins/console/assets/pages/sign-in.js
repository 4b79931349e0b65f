import { ApiFailure } from '../api.js';
import { field, valuesOf } from '../dialog.js';
import { h } from '../dom.js';
import { failure } from '../notices.js';
import { signIn } from '../session.js';

const FOR_WHOM = 'Only admins of the platform sign in here: accounts of tenants do not work.';

/** Whoever has an account of a tenant would not know why it does not work. @param {unknown} error */
const withHint = (error) =>
    error instanceof ApiFailure && error.code === 'INVALID_CREDENTIALS'
        ? Object.assign(error, { suggestion: FOR_WHOM })
        : error;

/** @param {{ reason?: string | undefined; onSignedIn: () => Promise<unknown> }} options */
export function signInForm({ reason, onSignedIn }) {
    const problem = h('div', {});
    const submit = h('button', { class: 'primary' }, 'Sign in');

    /** @param {SubmitEvent} event */
    async function send(event) {
        event.preventDefault();
        submit.disabled = true;
        problem.replaceChildren();
        try {
            const { email = '' } = valuesOf(form);
            await signIn(email, form.elements.password.value);
            await onSignedIn();
        } catch (error) {
            problem.replaceChildren(failure(withHint(error)));
            form.elements.password.value = '';
            form.elements.password.focus();
        } finally {
            submit.disabled = false;
        }
    }

    const form = h(
        'form',
        { class: 'card alone', onsubmit: send },
        h('h1', {}, 'Admin console'),
        reason !== undefined && h('p', { role: 'status' }, reason),
        field({ name: 'email', label: 'E-mail', type: 'email', required: true, autocomplete: 'username' }),
        field({
            name: 'password',
            label: 'Password',
            type: 'password',
            required: true,
            autocomplete: 'current-password',
        }),
        problem,
        submit,
    );
    return form;
}

/**
 * What a user of a tenant finds, whose session the browser brings along.
 *
 * @param {import('../session.js').Session} session
 * @param {{ onSignOut: () => Promise<void> }} options
 */
export const foreignSession = ({ user, tenant }, { onSignOut }) =>
    h(
        'div',
        { class: 'card alone' },
        h('h1', {}, 'Not for your account'),
        h('p', {}, 'You are signed in as ', h('strong', {}, user.email), ' of ', h('strong', {}, tenant.name), '.'),
        h('p', {}, 'This console is for admins of the platform only.'),
        h('button', { type: 'button', class: 'primary', onclick: onSignOut }, 'Sign out'),
    );
