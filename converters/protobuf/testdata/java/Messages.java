import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads the messages of each line by Google's classes, and writes them again. */
public class Messages {
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = in.readLine()) != null; ) {
      Map<String, String> answer = new LinkedHashMap<>();
      try {
        Map<?, ?> q = json.readValue(line, Map.class);
        DynamicMessage m = DynamicMessage.parseFrom(find(q), Base64.getDecoder().decode((String) q.get("data")));
        if (!m.getUnknownFields().asMap().isEmpty()) {
          throw new IllegalArgumentException("unknown fields " + m.getUnknownFields());
        }
        answer.put("data", Base64.getEncoder().encodeToString(m.toByteArray()));
      } catch (Throwable t) {
        answer.put("error", t.toString());
      }
      out.println(json.writeValueAsString(answer));
    }
  }

  /** The message of a name in files that come after those which they import. */
  static Descriptor find(Map<?, ?> q) throws Exception {
    Map<String, FileDescriptor> files = new HashMap<>();
    FileDescriptor last = null;
    for (FileDescriptorProto p : FileDescriptorSet.parseFrom(Base64.getDecoder().decode((String) q.get("files"))).getFileList()) {
      FileDescriptor[] needs = p.getDependencyList().stream().map(files::get).toArray(FileDescriptor[]::new);
      last = FileDescriptor.buildFrom(p, needs);
      files.put(p.getName(), last);
    }
    return last.findMessageTypeByName((String) q.get("message"));
  }
}
