-- One page of the users with a search term that begins so, in the order of the terms. A user with several such terms
-- stands at the first of them only. The user keys are KEYS[2] followed by an id: the same tenant, the same slot.
-- KEYS[1] search terms (zset of "<term>\0<user id>") · KEYS[2] what the user keys begin with
-- ARGV[1] beginning of the term · ARGV[2] last member seen, or '' · ARGV[3] limit
-- Returns {more (0 | 1), last member, {field, value, …}, …}
local begin, limit = ARGV[1], tonumber(ARGV[3])
local from = ARGV[2] ~= '' and '(' .. ARGV[2] or '[' .. begin
-- No text in UTF-8 has this byte.
local to = '[' .. begin .. '\255'

local function is_first(term, terms)
    for _, list in pairs(cjson.decode(terms)) do
        for _, other in ipairs(list) do
            if other:sub(1, #begin) == begin and other < term then return false end
        end
    end
    return true
end

local page, last, more = {}, '', 0
repeat
    local found = redis.call('ZRANGEBYLEX', KEYS[1], from, to, 'LIMIT', 0, limit + 1)
    for _, member in ipairs(found) do
        from = '(' .. member
        local term, id = member:match('^(.*)%z(.*)$')
        local terms = redis.call('HGET', KEYS[2] .. id, 'terms')
        if terms and is_first(term, terms) then
            if #page == limit then
                more = 1
                break
            end
            page[#page + 1], last = redis.call('HGETALL', KEYS[2] .. id), member
        end
    end
until more == 1 or #found == 0
return { more, last, unpack(page) }
