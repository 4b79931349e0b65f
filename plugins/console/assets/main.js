import { sessionEvents } from './api.js';
import { h } from './dom.js';
import { failure } from './notices.js';
import { breakers } from './pages/breakers.js';
import { configuration } from './pages/configuration.js';
import { dashboard } from './pages/dashboard.js';
import { jobs } from './pages/jobs.js';
import { live } from './pages/live.js';
import { foreignSession, signInForm } from './pages/sign-in.js';
import { tenants } from './pages/tenants.js';
import { users } from './pages/users.js';
import { placeOf } from './router.js';
import { isOfPlatform, may, signOut, whoAmI } from './session.js';

/**
 * @typedef {import('./session.js').Session} Session
 *
 * @typedef {{
 *     main: HTMLElement;
 *     params: string[];
 *     query: URLSearchParams;
 *     session: Session;
 *     signal: AbortSignal;
 * }} Visit
 *
 * @typedef {{ section: string; title: string; permission: string; open: (visit: Visit) => void }} Page
 */

/** @type {Page[]} */
const PAGES = [dashboard, tenants, users, breakers, jobs, live, configuration];

const elements = {
    bar: /** @type {HTMLElement} */ (document.getElementById('bar')),
    sections: /** @type {HTMLElement} */ (document.getElementById('sections')),
    main: /** @type {HTMLElement} */ (document.getElementById('main')),
};

/** @type {Session | null} */
let session = null;
let leaving = new AbortController();

document.querySelector('.skip-link')?.addEventListener('click', (event) => {
    // The address names a page of the console, not a place in this one.
    event.preventDefault();
    elements.main.focus();
});
addEventListener('hashchange', () => open());
sessionEvents.addEventListener('over', () => {
    if (session) leave('Your session is over: sign in again.');
});

/** Shows the console to whoever is signed in already, and the way in to others. */
async function enter() {
    try {
        const found = await whoAmI();
        if (!isOfPlatform(found)) return showAlone(foreignSession(found, { onSignOut: leaveForGood }));
        session = found;
        frame(found);
        open();
    } catch (error) {
        const { status, message } = /** @type {import('./api.js').ApiFailure} */ (error);
        if (status === 401) return leave();
        // Of somebody who is not let in any more.
        if (status === 403) return leave(message);
        showAlone(failure(error, () => void enter()));
    }
}

/** @param {string} [reason] */
function leave(reason) {
    session = null;
    showAlone(signInForm({ reason, onSignedIn: enter }));
    elements.main.querySelector('input')?.focus();
}

async function leaveForGood() {
    try {
        await signOut();
        leave('You are signed out.');
    } catch (error) {
        elements.main.prepend(failure(error));
    }
}

/** @param {HTMLElement} content */
function showAlone(content) {
    leaving.abort();
    for (const dialog of document.querySelectorAll('dialog')) dialog.close();
    elements.bar.hidden = true;
    elements.sections.hidden = true;
    document.title = 'Admin console';
    elements.main.replaceChildren(content);
}

/** @param {Session} whose */
function frame(whose) {
    elements.bar.replaceChildren(
        h('strong', {}, 'Admin console'),
        h('span', { class: 'who' }, `${whose.user.email} · ${whose.user.role}`),
        h('button', { type: 'button', onclick: leaveForGood }, 'Sign out'),
    );
    elements.sections.replaceChildren(
        ...pagesFor(whose).map(({ section, title }) =>
            h('a', { href: `#/${section}`, 'data-section': section }, title),
        ),
    );
    elements.bar.hidden = false;
    elements.sections.hidden = false;
}

/** @param {Session} whose */
const pagesFor = (whose) => PAGES.filter(({ permission }) => may(whose, permission));

/** Opens the page that the address names; of one that there is not, the first. */
function open() {
    if (!session) return;
    const place = placeOf(location.hash);
    const [first] = pagesFor(session);
    const page = pagesFor(session).find(({ section }) => section === place.section) ?? first;
    if (!page) return;
    leaving.abort();
    leaving = new AbortController();
    for (const link of elements.sections.querySelectorAll('a')) {
        if (link.dataset.section === page.section) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
    }
    document.title = `${page.title} · Admin console`;
    const { main } = elements;
    main.replaceChildren(h('h1', { tabindex: -1 }, page.title));
    page.open({ ...place, main, session, signal: leaving.signal });
    // Whoever does not see the page change is told of it by its heading.
    /** @type {HTMLElement | null} */ (main.querySelector('h1'))?.focus({ preventScroll: true });
    scrollTo(0, 0);
}

await enter();
