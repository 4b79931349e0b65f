import type { ZxcvbnFactory } from '@zxcvbn-ts/core';

/** Longer passwords are judged by what they begin with: the time it takes grows faster than the length. */
const EXAMINED = 64;
/** Combinations of letters written as digits and signs that are tried: more take tenths of a second. */
const SUBSTITUTIONS = 3;
/** The least score of zxcvbn's 0 to 4 that is taken: more than a million guesses. */
const LEAST_SCORE = 2;

let loaded: Promise<ZxcvbnFactory> | undefined;

/** The dictionaries take 60 MB and a quarter of a second, so they are loaded when the first password is judged. */
async function load(): Promise<ZxcvbnFactory> {
    const [{ ZxcvbnFactory: Factory }, common, english] = await Promise.all([
        import('@zxcvbn-ts/core'),
        import('@zxcvbn-ts/language-common'),
        import('@zxcvbn-ts/language-en'),
    ]);
    return new Factory({
        dictionary: { ...common.dictionary, ...english.dictionary },
        graphs: common.adjacencyGraphs,
        translations: english.translations,
        l33tMaxSubstitutions: SUBSTITUTIONS,
    });
}

/**
 * Why a password is easy to guess, or null when it is not.
 *
 * @param own What others know of the user, as the e-mail address: a password is none of it
 */
export async function weaknessOf(password: string, own: string[]): Promise<string | null> {
    if (own.some((known) => known.toLowerCase() === password.trim().toLowerCase())) {
        return 'This is your name, your address or your domain.';
    }
    loaded ??= load();
    const { score, feedback } = (await loaded).check(password.slice(0, EXAMINED), own);
    if (score >= LEAST_SCORE) return null;
    return feedback.warning ?? 'Use more words, and rarer ones.';
}
