-- Say which replica holds the link of a tunnel, or that it still does; a newer link is not overwritten.
-- KEYS[1] link
-- ARGV[1] connection id · ARGV[2] address of the replica · ARGV[3] epoch · ARGV[4] for how long that holds, in ms
-- ARGV[5] the channel on which replicas learn of newer links · ARGV[6] what they are told
-- Returns 1 it is the tunnel's, 0 there is a newer one
local known, epoch, draining = unpack(redis.call('HMGET', KEYS[1], 'connectionId', 'epoch', 'draining'))
if epoch and tonumber(epoch) > tonumber(ARGV[3]) then return 0 end
-- What was said before it began to drain has come late.
if known == ARGV[1] and draining then return 1 end
redis.call('HSET', KEYS[1], 'connectionId', ARGV[1], 'address', ARGV[2], 'epoch', ARGV[3])
redis.call('HDEL', KEYS[1], 'draining')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if known ~= ARGV[1] then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
return 1
