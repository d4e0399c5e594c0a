/** Version of the documents that stages take and give. A module of its own: the schemas cost a scan more than its work. */
export const apiVersion = 'contimg/v1'
