-- Take some events for a consumer: first those that somebody took so long ago that he must be gone, or that are to be tried
-- again, then new ones. All processes take them under one name: what they have is told apart by how long they have had it.
-- KEYS[1] events
-- ARGV[1] consumer · ARGV[2] the name · ARGV[3] how many · ARGV[4] milliseconds after which what was taken is free again
-- Returns {{id, {field, value, …}}, …}, or nil when the consumer is not subscribed
local claimed = redis.pcall('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[4], '0-0', 'COUNT', ARGV[3])
if claimed.err then
    if claimed.err:find('NOGROUP', 1, true) then return false end
    return claimed
end
-- Those that were trimmed meanwhile are gone from the group with this.
if #claimed[2] > 0 then return claimed[2] end
local read = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>')
return read and read[1][2] or {}
