-- Decide about a request with a verified access token: the one round trip of authentication.
-- KEYS[1] revoked token · KEYS[2] session · KEYS[3] tenant · KEYS[4] user · KEYS[5] the user's rate
-- KEYS[6] the user's rate on this route, where it has a limit of its own
-- ARGV[1] user id · ARGV[2] JSON {tier: requests per minute} · ARGV[3] limit and ARGV[4] window (s) of the route
-- Returns {code, role, tier, {limit, remaining, reset, window, wait}, provider keys}; code 1 admitted, 0 session over,
--         -1 tenant not in standing, -2 user not in standing, -3 over a limit (nothing is counted then)
-- @include now
-- @include gcra
-- @include epoch
local MINUTE = 60

if redis.call('EXISTS', KEYS[1]) == 1 then return { 0 } end
local user_id, began = unpack(redis.call('HMGET', KEYS[2], 'userId', 'createdAt'))
if user_id ~= ARGV[1] then return { 0 } end
local status, plan, tenant_epoch = unpack(redis.call('HMGET', KEYS[3], 'status', 'plan', 'epoch'))
if status ~= 'active' then return { -1 } end
local active, role, tier, user_epoch, provider_keys =
    unpack(redis.call('HMGET', KEYS[4], 'isActive', 'role', 'tier', 'epoch', 'providerKeys'))
if active ~= '1' then return { -2 } end
if is_over(began, tenant_epoch, user_epoch) then return { 0 } end
tier = tier or plan

local at = now()
local rates = { gcra_peek(KEYS[5], cjson.decode(ARGV[2])[tier], MINUTE, at) }
if KEYS[6] then rates[2] = gcra_peek(KEYS[6], tonumber(ARGV[3]), tonumber(ARGV[4]), at) end
for _, rate in ipairs(rates) do
    if rate.over > 0 then return { -3, role, tier, gcra_state(rate, false) } end
end

local tightest
for _, rate in ipairs(rates) do
    gcra_take(rate)
    local state = gcra_state(rate, true)
    if not tightest or state[2] < tightest[2] then tightest = state end
end
return { 1, role, tier, tightest, provider_keys or '' }
