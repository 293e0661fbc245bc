-- Each request differs from all others in its query, or none does: `wrk … URL -- identical`.
local number, step = 0, 1

init = function(words)
    if words[1] == "identical" then step = 0 end
end

request = function()
    number = number + step
    return wrk.format(nil, wrk.path .. "?n=" .. number)
end
