/** What a refusal is counted as: a limit of the user, the route, the API key or the IP address, or a quota. */
export const violationKinds = ['user', 'route', 'key', 'address', 'quota', 'concurrency'] as const;
export type ViolationKind = (typeof violationKinds)[number];
