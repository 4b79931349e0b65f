-- Set or remove API keys of a user, and name those that are left in the user's record.
-- KEYS[1] user · KEYS[2] the user's keys · KEYS[3] events · KEYS[4] audit
-- ARGV[1] JSON {set: [field, value, …], clear: [field, …], needs?: field, events, audit}
-- Returns 1 done, 0 user not in standing, -1 the field it needs is not there
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
if redis.call('HGET', KEYS[1], 'isActive') ~= '1' then return 0 end
if change.needs and redis.call('HEXISTS', KEYS[2], change.needs) == 0 then return -1 end

local at = now()
if #change.clear > 0 then
    redis.call('HDEL', KEYS[2], unpack(change.clear))
    if #change.set > 0 then redis.call('HSET', KEYS[2], unpack(change.set)) end
    local names = {}
    for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
        if not field:find(':', 1, true) then names[#names + 1] = field end
    end
    redis.call('HSET', KEYS[1], 'providerKeys', table.concat(names, ','), 'updatedAt', string.format('%d', at))
    redis.call('HINCRBY', KEYS[1], 'revision', 1)
end
append_entries(KEYS[3], KEYS[4], change, at)
return 1
