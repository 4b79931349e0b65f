/** Where a request comes from. */
export interface Caller {
    requestId: string;
    ipAddress: string;
    userAgent: string;
}

/** Who makes a request: a user of a tenant, with what the role permits at this moment. */
export interface Actor extends Caller {
    tenantId: string;
    userId: string;
    username: string;
    /** `''` with a service API key. */
    sessionId: string;
    role: string;
    tier: string;
    permissions: string[];
    /** Names of the model providers that the user has an API key of. */
    providerKeys: string[];
    /** The access token's own id (of an API key: the key's), and when it expires. */
    tokenId: string;
    expiresAt: string;
    /** Of the service API key that the request came with. */
    keyId?: string;
    /** Of what somebody else may act with in the user's name, as the token of a tunnel's share. */
    passId?: string;
}
