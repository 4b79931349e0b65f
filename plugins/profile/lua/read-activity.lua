-- Read a page of a user's own audit entries, newest first. An entry that the audit keeps no more is left out.
-- KEYS[1] the user's activity: a stream of the ids of audit entries · KEYS[2] audit
-- ARGV[1] where to begin, as XREVRANGE takes it · ARGV[2] how many
-- Returns {id of the last entry of the page, or '' where no more follow, {{entry id, {field, value, …}}, …}}
local limit = tonumber(ARGV[2])
local found = redis.call('XREVRANGE', KEYS[1], ARGV[1], '-', 'COUNT', limit + 1)
local entries = {}
for n = 1, math.min(limit, #found) do
    local id = found[n][2][2]
    local entry = redis.call('XRANGE', KEYS[2], id, id)[1]
    if entry then entries[#entries + 1] = entry end
end
return { #found > limit and found[limit][1] or '', entries }
