-- Continue the chain over a tenant's audit by a batch, if it still ends where it was continued from; a batch of nothing
-- signs its end anew. One tenant's chain grows at one place only, so it never forks. A deleted tenant's rests.
-- KEYS[1] head · KEYS[2] seals · KEYS[3] tenant
-- ARGV[1] the head's signature as it was read, '' where there is no head · ARGV[2] JSON {seals: [[id, field, value, …],
--         …], head: [field, value, …]}
-- Returns 1 sealed, 0 the chain ends elsewhere by now, or the tenant is gone
local status = redis.call('HGET', KEYS[3], 'status')
if not status or status == 'deleted' then return 0 end
if (redis.call('HGET', KEYS[1], 'mac') or '') ~= ARGV[1] then return 0 end
local batch = cjson.decode(ARGV[2])
for _, seal in ipairs(batch.seals) do redis.call('XADD', KEYS[2], unpack(seal)) end
redis.call('HSET', KEYS[1], unpack(batch.head))
return 1
