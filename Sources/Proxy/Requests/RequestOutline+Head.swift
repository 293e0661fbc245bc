import RequestFacts
import Transport

extension RequestHead {
    /// What of the head bears on facts about the request, as it goes to the gateway at a target.
    ///
    /// Fields that a Connection field declares to be for this hop do not go there: the gateway reads the body without them.
    func outline(target: String) -> RequestOutline {
        let options = fields.connectionOptions
        func values(_ name: FieldName, _ word: String) -> [[UInt8]] {
            guard options?.contains(word) != true else { return [] }
            return fields.lines.filter { $0.name == name }.map(fields.value)
        }
        return RequestOutline(
            target: target, contentTypes: values(.contentType, "content-type"),
            contentEncodings: values(.contentEncoding, "content-encoding"))
    }
}
