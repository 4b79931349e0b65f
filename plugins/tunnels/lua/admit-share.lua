-- Decide about a call with a share's token, and use that: the one round trip of authentication. It counts as a call of the
-- tunnel's owner, whose keys are what KEYS[2], [5] and [8] begin with, followed by the user's id: the same slot.
-- KEYS[1] tenant · KEYS[2] users · KEYS[3] the tenant's quota of the month · KEYS[4] violations · KEYS[5] the users' rates
-- KEYS[6] tunnel · KEYS[7] share · KEYS[8] the users' rates on this route, where it has a limit of its own
-- ARGV[1] tiers as `admission.lua` takes them · ARGV[2] route · ARGV[3] limit and ARGV[4] window (s) of the route
-- ARGV[5] hash of the token · ARGV[6] 1 when the call does not count against the quota · ARGV[7] tunnel id
-- Returns what `admission` does, code 0: the token opens nothing (any more), -1 tenant not in standing, -2 user not in
--         standing; of an admitted call {code, role, tier, rate, user id, user name, expiry of the token}
-- @include now
-- @include gcra
-- @include violation
-- @include admission
local status, plan, overrides, restoring =
    unpack(redis.call('HMGET', KEYS[1], 'status', 'plan', 'limits', 'restoring'))
if restoring then return { -5 } end
local fields = { 'tunnelId', 'tokenHash', 'expiresAt', 'maxUses', 'uses' }
local tunnel, token, expires, most, uses = unpack(redis.call('HMGET', KEYS[7], unpack(fields)))
if tunnel ~= ARGV[7] or not token or token ~= ARGV[5] then return { 0 } end
local at = now()
if tonumber(expires) <= at then return { 0 } end
if most and tonumber(uses) >= tonumber(most) then return { 0 } end
local owner = redis.call('HGET', KEYS[6], 'userId')
if not owner then return { 0 } end
if status ~= 'active' then return { -1 } end
local active, role, tier, name = unpack(redis.call('HMGET', KEYS[2] .. owner, 'isActive', 'role', 'tier', 'username'))
if active ~= '1' then return { -2 } end

local rates = KEYS[8] and { { 'route', KEYS[8] .. owner, tonumber(ARGV[3]), tonumber(ARGV[4]) } } or {}
local who = { id = owner, role = role, tier = tier or plan, plan = plan, overrides = overrides }
local keys = { rate = KEYS[5] .. owner, quota = ARGV[6] ~= '1' and KEYS[3] or nil, violations = KEYS[4] }
local verdict = admission(who, rates, ARGV[1], keys, ARGV[2], at)
if verdict[1] ~= 1 then return verdict end

redis.call('HINCRBY', KEYS[7], 'uses', 1)
redis.call('HSET', KEYS[7], 'lastUsedAt', string.format('%d', at))
return { 1, role, verdict[3], verdict[4], owner, name, expires }
