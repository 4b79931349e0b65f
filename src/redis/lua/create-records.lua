-- Create one or more records of a tenant, all or none, with their indexes, events and audit entries.
-- KEYS[1] events · KEYS[2] audit · then for each record: its hash, its unique indexes, its orders, its words
-- ARGV[1] JSON {records: [{id, fields: [field, value, …], unique: [value, …], orders: ["createdAt" …],
--               words: [[member, …], …], expiresAt?}], events, audit}
-- Returns {1, time} created, {0, record, 0} the id exists, {0, record, n} its n-th unique value is taken
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
local at = now()

-- What the records of this very change take from each other.
local claimed = {}
local position = 3
for number, record in ipairs(change.records) do
    record.position = position
    if redis.call('EXISTS', KEYS[position]) == 1 then return { 0, number, 0 } end
    for n, value in ipairs(record.unique) do
        local index = KEYS[position + n]
        local claim = index .. ' ' .. value
        if claimed[claim] or redis.call('HEXISTS', index, value) == 1 then return { 0, number, n } end
        claimed[claim] = true
    end
    position = position + 1 + #record.unique + #record.orders + #record.words
end

for _, record in ipairs(change.records) do
    local key = KEYS[record.position]
    local time = string.format('%d', at)
    redis.call('HSET', key, 'id', record.id, 'revision', 1, 'createdAt', time, 'updatedAt', time, unpack(record.fields))
    for n, value in ipairs(record.unique) do redis.call('HSET', KEYS[record.position + n], value, record.id) end
    for n, by in ipairs(record.orders) do
        local order = KEYS[record.position + #record.unique + n]
        if by == 'expiresAt' then redis.call('ZREMRANGEBYSCORE', order, '-inf', time) end
        redis.call('ZADD', order, by == 'expiresAt' and string.format('%d', record.expiresAt) or time, record.id)
    end
    for n, members in ipairs(record.words) do
        local index = KEYS[record.position + #record.unique + #record.orders + n]
        for _, member in ipairs(members) do redis.call('ZADD', index, 0, member) end
    end
    if record.expiresAt then redis.call('PEXPIREAT', key, string.format('%d', record.expiresAt)) end
end
append_entries(KEYS[1], KEYS[2], change, at)
return { 1, at }
