-- Decide about a request with a service API key: the one round trip of authentication. Whose key it is stands in its
-- record, so the user's keys are what KEYS[2], [5] and [8] begin with, followed by the user's id: the same slot.
-- KEYS[1] tenant · KEYS[2] users · KEYS[3] the tenant's quota of the month · KEYS[4] violations · KEYS[5] the users' rates
-- KEYS[6] API key · KEYS[7] the key's own rate · KEYS[8] the users' rates on this route, where it has a limit of its own
-- ARGV[1] tiers as `admission.lua` takes them · ARGV[2] route · ARGV[3] limit and ARGV[4] window (s)
--         of the route · ARGV[5] digest of the key · ARGV[6] 1 when the request does not count against the quota
-- ARGV[7] 1 when it is admitted while the tenant is restored
-- Returns what `admit.lua` returns, code 0: no such key, or it has expired; after {code, role, tier, rate} of an
--         admitted request: user id, user name, JSON of the key's scopes, expiry of the key or '', provider keys
-- @include now
-- @include gcra
-- @include violation
-- @include admission
local LAST_USED_EVERY = 60000

-- Looks at every byte, whichever is the first that differs.
local function same(one, other)
    if not one or #one ~= #other then return false end
    local difference = 0
    for n = 1, #one do difference = bit.bor(difference, bit.bxor(one:byte(n), other:byte(n))) end
    return difference == 0
end

local at = now()
local status, plan, overrides, restoring =
    unpack(redis.call('HMGET', KEYS[1], 'status', 'plan', 'limits', 'restoring'))
-- The key may not be back yet.
if restoring and (ARGV[7] ~= '1' or redis.call('EXISTS', KEYS[6]) == 0) then return { -5 } end
local id, user_id, hash, previous, previous_until, scopes, per_minute, expiry, last_used = unpack(
    redis.call(
        'HMGET', KEYS[6], 'id', 'userId', 'hash', 'previousHash', 'previousUntil', 'scopes', 'requestsPerMinute',
        'validUntil', 'lastUsedAt'
    )
)
local is_current = same(hash, ARGV[5])
local is_previous = same(previous, ARGV[5]) and tonumber(previous_until) > at
if not (is_current or is_previous) then return { 0 } end
if expiry and tonumber(expiry) <= at then return { 0 } end
if status ~= 'active' then return { -1 } end
local active, role, tier, name, provider_keys =
    unpack(redis.call('HMGET', KEYS[2] .. user_id, 'isActive', 'role', 'tier', 'username', 'providerKeys'))
if restoring and not active then return { -5 } end
if active ~= '1' then return { -2 } end

local rates = {}
if per_minute then rates[1] = { 'key', KEYS[7], tonumber(per_minute), 60 } end
if KEYS[8] then rates[#rates + 1] = { 'route', KEYS[8] .. user_id, tonumber(ARGV[3]), tonumber(ARGV[4]) } end
local who = { id = user_id, role = role, tier = tier or plan, plan = plan, overrides = overrides, key = id }
local keys = { rate = KEYS[5] .. user_id, quota = ARGV[6] ~= '1' and KEYS[3] or nil, violations = KEYS[4] }
local verdict = admission(who, rates, ARGV[1], keys, ARGV[2], at)
if verdict[1] ~= 1 then return verdict end

if at - tonumber(last_used or 0) >= LAST_USED_EVERY then
    redis.call('HSET', KEYS[6], 'lastUsedAt', string.format('%d', at))
end
return { 1, role, verdict[3], verdict[4], user_id, name, scopes, expiry or '', provider_keys or '' }
