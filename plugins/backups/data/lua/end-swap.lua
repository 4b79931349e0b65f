-- All is in its place: set the fields of parts and unlock the tenant.
-- KEYS[1] restore · KEYS[2] tenant · KEYS[3] events · KEYS[4] audit · KEYS[5] what is staged
-- KEYS[6] what the tenant's keys begin with · KEYS[7] what staged keys begin with
-- ARGV[1] JSON {id, parts: [{name, key, staged, fields: [field, …]}], lifetime, events, audit}
-- Returns 1 done, 0 it is in another phase
-- @include now
-- @include outbox
if redis.call('HGET', KEYS[1], 'phase') ~= 'swapping' then return 0 end
local change = cjson.decode(ARGV[1])
local at = now()
for _, part in ipairs(change.parts) do
    if redis.call('SISMEMBER', KEYS[5], part.name) == 1 then
        local live, staged = KEYS[6] .. part.key, KEYS[7] .. part.staged
        redis.call('HDEL', live, unpack(part.fields))
        for _, field in ipairs(part.fields) do
            local value = redis.call('HGET', staged, field)
            if value then redis.call('HSET', live, field, value) end
        end
        if redis.call('HEXISTS', live, 'revision') == 1 then
            redis.call('HINCRBY', live, 'revision', 1)
            redis.call('HSET', live, 'updatedAt', string.format('%d', at))
        end
    end
    redis.call('UNLINK', KEYS[7] .. part.staged)
end
if redis.call('HGET', KEYS[2], 'restoring') == change.id then redis.call('HDEL', KEYS[2], 'restoring') end
redis.call('HSET', KEYS[1], 'phase', 'done')
for _, key in ipairs({ KEYS[1], KEYS[5] }) do redis.call('PEXPIRE', key, change.lifetime) end
append_entries(KEYS[3], KEYS[4], change, at)
return 1
