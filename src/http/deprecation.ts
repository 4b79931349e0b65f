/** That a route is to be withdrawn. */
export interface Deprecation {
    /** When that was made known; ISO 8601, as `sunset`. */
    since: string;
    /** When the route may be gone. */
    sunset: string;
    /** The path of what takes its place. */
    successor: string;
}

/**
 * What a client of such a route is told with each answer: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a link to
 * what takes its place (RFC 5829).
 */
export const deprecationHeaders = (deprecation: Deprecation | undefined): [name: string, value: string][] =>
    deprecation
        ? [
              ['deprecation', `@${Math.floor(Date.parse(deprecation.since) / 1000)}`],
              ['sunset', new Date(deprecation.sunset).toUTCString()],
              ['link', `<${deprecation.successor}>; rel="successor-version"`],
          ]
        : [];

/** @throws When it would be withdrawn before that is known, or at no time */
export function checkDeprecation({ since, sunset }: Deprecation): void {
    if (!(Date.parse(since) < Date.parse(sunset))) throw new Error('A route is withdrawn after that is made known');
}

/** What the document says of it, in Markdown. */
export const describeDeprecation = ({ sunset, successor }: Deprecation): string =>
    `**To be withdrawn on ${sunset.slice(0, 10)}.** Use \`${successor}\`.`;
