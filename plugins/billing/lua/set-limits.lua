-- Set limits of a tenant's month, and what balance counts as low.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit · KEYS[4] what the keys of users begin with · KEYS[5] those of API keys
-- ARGV[1] JSON {set: [name, limit, …], remove: [name, …], lowCredit?: '' takes it away, events, audit}
-- Returns {1, as `limits_of`}, {-1, the first name that is nobody's}
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include limits
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
local change, at = cjson.decode(ARGV[1]), now()

local function is_there(name)
    local kind, id = name:match('^(%a+):(.+)$')
    if not kind then return true end
    local found, deleted = unpack(redis.call('HMGET', (kind == 'user' and KEYS[4] or KEYS[5]) .. id, 'id', 'deletedAt'))
    return found and not deleted
end

for n = 1, #change.set, 2 do
    if not is_there(change.set[n]) then return { -1, change.set[n] } end
end
local limits = KEYS[1] .. ':limits'
for n = 1, #change.set, 2 do redis.call('HSET', limits, change.set[n], digits(micros(change.set[n + 1]))) end
for _, name in ipairs(change.remove) do redis.call('HDEL', limits, name) end
if change.lowCredit then
    if change.lowCredit == '' then redis.call('HDEL', KEYS[1], 'lowCredit')
    else redis.call('HSET', KEYS[1], 'lowCredit', digits(micros(change.lowCredit))) end
    watch_low_credit(keys, micros(redis.call('HGET', KEYS[1], 'balance')), at)
end
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, limits_of(keys, at) }
